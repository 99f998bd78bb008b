package verdict

import (
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// An Owner says whose memory a path holds, as far as its frames and the call
// tell. The zero value is memory that the program mapped for itself.
type Owner struct {
	// Name is short and can stand behind "the": "Go heap".
	Name string
	// What is a sentence on what the mappings are, Advice one or more on what to do
	// if they grow.
	What, Advice string
	// Managed says that the owner keeps what it maps and hands it out again: that
	// it is never unmapped is no leak by itself.
	Managed bool
}

// A Holding is what an owner is recognised by.
type Holding struct {
	Frames []stack.Frame // leaf first
	Call   string        // "mmap", "brk", "shmat", ...
	// Length is that of the largest mapping in bytes, as it was made; Prot and the
	// flags are those of its call, and Path its file's.
	Length    uint64
	Prot      event.Prot
	ForStack  bool // MAP_STACK
	NoReserve bool // MAP_NORESERVE
	File      bool
	Path      string
}

// OwnerOf returns whose memory h is: that of the first rule that fits.
//
// A path is looked at from its leaf up to the caller of the C library:
//
//	mmap             libc.so.6    reached by every rule
//	sysmalloc_mmap   libc.so.6
//	malloc           libc.so.6
//	os::malloc       libjvm.so    <- the caller
//	Unsafe_Allocate  libjvm.so    reached by rules with reach 1
//	main             java         never
func OwnerOf(h *Holding) Owner {
	p := lookAt(h)
	for _, rules := range [][]rule{heaps, kinds} {
		for i := range rules {
			if rules[i].fits(p) {
				return rules[i].owner
			}
		}
	}
	return Owner{}
}

// Owners returns the names of all owners, each once, in the order in which their
// rules are tried.
func Owners() []string {
	var out []string
	for _, rules := range [][]rule{heaps, kinds} {
		for i := range rules {
			if name := rules[i].owner.Name; !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Temper returns the verdict v on a path of o. Growth of managed memory is not
// called a leak: only its owner knows what of it is in use.
func (o Owner) Temper(v Verdict) Verdict {
	if v.Kind != Leak || !o.Managed {
		return v
	}
	v.Kind = Growing
	v.Why = strings.TrimSuffix(v.Why, ".") + "; but the " + o.Name + " keeps what it maps, so this alone is no leak."
	return v
}

// Uncalled returns the verdict v on a path of which the caller of the C library is
// not known: it may be several paths, none of which need leak.
func Uncalled(v Verdict, frames []stack.Frame) Verdict {
	caller := lookAt(&Holding{Frames: frames}).caller
	if v.Kind != Leak || caller == len(frames) || frames[caller].Function != stack.Incomplete {
		return v
	}
	v.Kind = Growing
	v.Why = strings.TrimSuffix(v.Why, ".") + "; but it is not known who called, so this may be several paths."
	return v
}

// A rule recognises one owner. Of calls, modules and files one has to fit, if
// any is set, and malloc and also have to hold.
type rule struct {
	owner Owner
	// call is the kind of call; "" is any.
	call string
	// calls are names of functions, one of which is within reach; a * at the end
	// stands for the rest of a name.
	calls []string
	// reach is how many frames beyond the caller calls are looked for.
	reach int
	// modules begin the name of the file that the caller is in.
	modules []string
	// files begin the path of the mapped file.
	files []string
	// malloc says whether the C library's allocator is to be between the caller and
	// the kernel.
	malloc need
	also   func(*Holding) bool
}

// A need is what a rule asks of a condition.
type need uint8

const (
	either need = iota
	with
	without
)

// A place is a holding with what is near the kernel in it.
type place struct {
	*Holding
	caller int  // index of the C library's caller; the number of frames if there is none
	malloc bool // the C library's allocator is below it
}

func lookAt(h *Holding) *place {
	p := &place{Holding: h}
	for p.caller < len(h.Frames) && inLibrary(&h.Frames[p.caller]) {
		p.malloc = p.malloc || named(&h.Frames[p.caller], mallocCalls)
		p.caller++
	}
	return p
}

func (r *rule) fits(p *place) bool {
	switch {
	case r.call != "" && r.call != p.Call,
		r.malloc != either && (r.malloc == with) != p.malloc,
		r.also != nil && !r.also(p.Holding):
		return false
	}
	if r.calls == nil && r.modules == nil && r.files == nil {
		return true
	}
	near := p.Frames[:min(len(p.Frames), p.caller+1+r.reach)]
	return slices.ContainsFunc(near, func(f stack.Frame) bool { return named(&f, r.calls) }) ||
		p.caller < len(p.Frames) && begins(base(p.Frames[p.caller].Module), r.modules) ||
		begins(p.Path, r.files)
}

// libraries begin the names of C libraries, loaders and the C++ runtime.
var libraries = []string{
	"libc.so", "libc-", "libc.musl", "ld-linux", "ld-musl", "ld-2", "ld.so", "libpthread", "libstdc++.so", "libc++",
}

// libraryCalls are functions of these that a static program has in its own file.
var libraryCalls = []string{
	"mmap", "mmap64", "mmap_internal", "munmap", "mremap", "brk", "brk_call", "sbrk", "syscall", "shmat", "default_morecore",
	"pthread_create*", "allocate_stack", "dl_map_*", "dl_open*", "dlopen*", "operator new*",
}

// mallocCalls are the functions of the C library's allocator.
var mallocCalls = []string{
	"malloc", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc",
	"libc_malloc*", "libc_calloc*", "libc_realloc*", "libc_memalign*", "libc_alloc*", "sysmalloc*", "sysrealloc*", "int_malloc",
	"int_realloc", "int_memalign", "mmap_chunk", "mremap_chunk", "arena_get*", "int_new_arena", "alloc_new_heap", "new_heap",
	"tcache_init*", "alloc_group", "alloc_slot",
}

// inLibrary reports whether f is code of the C library, which maps memory for
// whoever called it.
func inLibrary(f *stack.Frame) bool {
	return begins(base(f.Module), libraries) || named(f, libraryCalls) || named(f, mallocCalls)
}

// named reports whether f's name, without what C libraries put before and after
// it, is one of names.
func named(f *stack.Frame, names []string) bool {
	name, _, _ := strings.Cut(f.Function, "@")
	name = strings.TrimLeft(strings.TrimPrefix(name, "__GI_"), "_")
	return slices.ContainsFunc(names, func(n string) bool {
		if stem, more := strings.CutSuffix(n, "*"); more {
			return strings.HasPrefix(name, stem)
		}
		return name == n
	})
}

func begins(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// base returns the last element of a path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
