package verdict

import (
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// path returns the frames of a call path written as "function@module < ...",
// leaf first. A function of - has no name.
func path(text string) []stack.Frame {
	var out []stack.Frame
	for f := range strings.SplitSeq(text, " < ") {
		i := strings.LastIndex(f, "@")
		name := f[:i]
		if name == "-" {
			name = ""
		}
		out = append(out, stack.Frame{Function: name, Module: "/usr/lib/" + f[i+1:]})
	}
	return out
}

// What C libraries put between their callers and the kernel.
const (
	viaMmap    = "__GI___mmap64@libc.so.6 < mmap@libc.so.6 < "
	viaMalloc  = viaMmap + "sysmalloc_mmap@libc.so.6 < sysmalloc@libc.so.6 < _int_malloc@libc.so.6 < malloc@libc.so.6 < "
	viaCalloc  = viaMmap + "sysmalloc_mmap@libc.so.6 < sysmalloc@libc.so.6 < _int_malloc@libc.so.6 < calloc@libc.so.6 < "
	viaRealloc = viaMmap + "sysmalloc_mmap@libc.so.6 < sysmalloc@libc.so.6 < _int_malloc@libc.so.6 < _int_realloc@libc.so.6 < realloc@libc.so.6 < "
	viaBrk     = "__brk_call@libc.so.6 < brk@libc.so.6 < sbrk@libc.so.6 < "
	nameless   = "mmap@libc.so.6 < -@libc.so.6 < -@libc.so.6 < malloc@libc.so.6 < "
	root       = "main@pth < __libc_start_call_main@libc.so.6 < __libc_start_main@libc.so.6 < _start@pth"
)

// Paths as they were captured, of unmodified programs.
func TestOwnerOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		path string
		h    Holding
		want string // "" is the program's own
	}{
		{"mapped by hand", viaMmap + "make_buffer@pth < " + root, Holding{}, ""},
		{"mapped by a raw system call", "syscall@libc.so.6 < make_buffer@pth < " + root, Holding{}, ""},
		{"a function that is called like malloc", viaMmap + "malloc_pool@pth < " + root, Holding{}, ""},
		{"a thread's stack", viaMmap + "allocate_stack@libc.so.6 < pthread_create@libc.so.6 < " + root, Holding{ForStack: true, NoReserve: true}, "thread stack"},
		{"a thread's stack, without names", "mmap@libc.so.6 < -@libc.so.6 < pthread_create@libc.so.6 < " + root, Holding{}, "thread stack"},
		{"a thread's stack, static", "mmap@pth < allocate_stack@pth < pthread_create@pth < " + root, Holding{}, "thread stack"},
		{"a Java thread's stack", viaMmap + "allocate_stack@libc.so.6 < pthread_create@libc.so.6 < os::create_thread(Thread*, os::ThreadType, unsigned long)@libjvm.so < JVM_StartThread@libjvm.so < -@[anon]", Holding{}, "thread stack"},
		{"an arena", viaMmap + "alloc_new_heap@libc.so.6 < _int_new_arena@libc.so.6 < arena_get2@libc.so.6 < tcache_init@libc.so.6 < malloc@libc.so.6 < idle@pth < start_thread@libc.so.6", Holding{Length: 2 * arenaSize, NoReserve: true}, "malloc heap"},
		{"an arena, without names", nameless + "idle@pth < start_thread@libc.so.6", Holding{Length: 2 * arenaSize, NoReserve: true}, "malloc heap"},
		{"a large block", viaMalloc + "big@pth < " + root, Holding{Length: 200704}, "malloc block"},
		{"a large block of calloc", viaCalloc + "cbig@pth < " + root, Holding{}, "malloc block"},
		{"a large block of realloc", viaRealloc + root, Holding{}, "malloc block"},
		{"a large block, without names", nameless + root, Holding{Length: 128 << 20, Prot: event.ProtRead | event.ProtWrite}, "malloc block"},
		{"a large block, static", "mmap@pth < sysmalloc_mmap@pth < sysmalloc@pth < _int_malloc@pth < malloc@pth < " + root, Holding{}, "malloc block"},
		{"a large block of C++", viaMalloc + "operator new(unsigned long)@libstdc++.so.6 < " + root, Holding{}, "malloc block"},
		{"a block with its caller unknown", "mmap@libc.so.6 < malloc@libc.so.6 < [stack incomplete]@", Holding{}, "malloc block"},
		{"small blocks", viaBrk + "__default_morecore@libc.so.6 < sysmalloc@libc.so.6 < _int_malloc@libc.so.6 < malloc@libc.so.6 < " + root, Holding{Call: "brk"}, "malloc heap"},
		{"sbrk by hand", viaBrk + root, Holding{Call: "brk"}, "program break"},
		{"a library, without names", "-@ld-linux-x86-64.so.2 < -@ld-linux-x86-64.so.2 < _dl_catch_exception@ld-linux-x86-64.so.2 < -@ld-linux-x86-64.so.2", Holding{}, "library mapping"},
		{"mapped by hand, with musl", "mmap@ld-musl-x86_64.so.1 < make_buffer@pth < main@pth", Holding{}, ""},
		{"a library", "__mmap64@ld-linux-x86-64.so.2 < mmap@ld-linux-x86-64.so.2 < _dl_map_segments@ld-linux-x86-64.so.2 < _dl_map_object_from_fd@ld-linux-x86-64.so.2 < _dl_map_object@ld-linux-x86-64.so.2 < dl_open_worker_begin@ld-linux-x86-64.so.2 < _dl_catch_exception@libc.so.6 < dlopen@libc.so.6 < -@python3.11", Holding{File: true}, "library mapping"},
		{"Redis", viaMmap + "-@libjemalloc.so.2 < -@libjemalloc.so.2 < zmalloc@redis-server", Holding{NoReserve: true}, "jemalloc heap"},
		{"jemalloc that is linked in", viaMmap + "os_pages_map@redis-server < pages_map@redis-server < extent_alloc_mmap@redis-server", Holding{}, "jemalloc heap"},
		{"mimalloc", viaMmap + "-@libmimalloc.so.2.0 < -@libmimalloc.so.2.0 < " + root, Holding{}, "mimalloc heap"},
		{"tcmalloc", viaBrk + "sbrk@libtcmalloc_minimal.so.4.5.10 < SbrkSysAllocator::Alloc(unsigned long, unsigned long*, unsigned long)@libtcmalloc_minimal.so.4.5.10 < tcmalloc::PageHeap::GrowHeap(unsigned long)@libtcmalloc_minimal.so.4.5.10", Holding{Call: "brk"}, "tcmalloc heap"},
		{"Go's heap", "runtime.sysMmap@gp < runtime.mmap@gp < runtime.sysMapOS@gp < runtime.sysMap@gp < runtime.(*mheap).grow@gp < runtime.(*mheap).allocSpan@gp < runtime.systemstack@gp < runtime.(*mheap).alloc@gp", Holding{}, "Go heap"},
		{"Go that maps by hand", "internal/runtime/syscall/linux.Syscall6@gp < syscall.RawSyscall6@gp < syscall.Syscall6@gp < syscall.mmap@gp < syscall.(*mmapper).Mmap@gp < syscall.Mmap@gp < main.mapIt@gp < main.main@gp < runtime.main@gp", Holding{}, ""},
		{"C in a Go program", viaMmap + "make_buffer@gp < runtime.asmcgocall@gp < runtime.cgocall@gp < main.main@gp", Holding{}, ""},
		{"the Java heap", viaMmap + "os::pd_commit_memory_or_exit(char*, unsigned long, unsigned long, bool, char const*)@libjvm.so < os::commit_memory_or_exit(char*, unsigned long, unsigned long, bool, char const*)@libjvm.so < G1PageBasedVirtualSpace::commit(unsigned long, unsigned long)@libjvm.so", Holding{}, "JVM memory"},
		{"a direct buffer", viaMalloc + "os::malloc(unsigned long, MEMFLAGS)@libjvm.so < Unsafe_AllocateMemory0@libjvm.so < -@[anon]", Holding{}, "JVM direct memory"},
		{"malloc of the JVM", viaMalloc + "os::malloc(unsigned long, MEMFLAGS)@libjvm.so < ChunkPool::allocate_chunk@libjvm.so < Arena::grow@libjvm.so < Compile::Compile@libjvm.so", Holding{}, "JVM memory"},
		{"JNI", viaMalloc + "Java_com_example_Native_load@libexample.so < -@[anon] < JavaMain@libjli.so", Holding{}, "malloc block"},
		{"a file in Java", viaMmap + "Java_sun_nio_ch_FileChannelImpl_map0@libnio.so < -@[anon]", Holding{File: true}, "JVM file mapping"},
		{"V8", viaMmap + "v8::base::OS::Allocate(void*, unsigned long, unsigned long, v8::base::OS::MemoryPermission)@node < v8::internal::VirtualMemory::VirtualMemory(v8::PageAllocator*, unsigned long, void*, unsigned long, v8::internal::JitPermission)@node", Holding{NoReserve: true}, "V8 heap"},
		{"a buffer of node", viaMalloc + "node::NodeArrayBufferAllocator::AllocateUninitialized(unsigned long)@node < v8::internal::Heap::AllocateExternalBackingStore(std::function<void* (unsigned long)> const&, unsigned long)@node", Holding{}, "Node buffer"},
		{"a typed array", viaCalloc + "node::NodeArrayBufferAllocator::Allocate(unsigned long)@node < v8::internal::Heap::AllocateExternalBackingStore(std::function<void* (unsigned long)> const&, unsigned long)@node", Holding{}, "Node buffer"},
		{"Python's arenas", viaMmap + "_PyObject_ArenaMmap@libpython3.11.so.1.0 < new_arena@libpython3.11.so.1.0 < allocate_from_new_pool@libpython3.11.so.1.0", Holding{}, "Python heap"},
		{"Python's arenas, without names", viaMmap + "-@python3.11 < -@python3.11 < PyUnicode_Concat@python3.11", Holding{}, "Python heap"},
		{"Ruby's pages", viaMmap + "-@libruby-3.1.so.3.1.7 < rb_wb_protected_newobj_of@libruby-3.1.so.3.1.7 < rb_class_new_instance_pass_kw@libruby-3.1.so.3.1.7", Holding{}, "Ruby heap"},
		{"a fiber of Ruby", viaMmap + "-@libruby-3.1.so.3.1.7 < rb_fiber_resume@libruby-3.1.so.3.1.7", Holding{ForStack: true}, "stack mapping"},
		{"a large object of Python", viaMalloc + "-@python3.11 < PyByteArray_Resize@python3.11", Holding{}, "Python object"},
		{"mmap in Python", viaMmap + "new_mmap_object@mmap.cpython-311-x86_64-linux-gnu.so < type_call@libpython3.11.so.1.0", Holding{}, ""},
		{"SQLite", viaMmap + "unixRemapfile@libsqlite3.so.0 < sqlite3PagerSharedLock@libsqlite3.so.0", Holding{File: true}, "SQLite mapping"},
		{"LMDB", viaMmap + "mdb_env_map@liblmdb.so.0", Holding{File: true}, "LMDB map"},
		{"AIO", "syscall@libc.so.6 < start_aio@pth < " + root, Holding{Call: "io_setup"}, "AIO ring"},
		{"io_uring", viaMmap + "-@liburing.so.2 < " + root, Holding{File: true, Path: "anon_inode:[io_uring]"}, "io_uring ring"},
		{"System V", "shmat@libc.so.6 < attach@pth < " + root, Holding{Call: "shmat"}, "System V segment"},
		{"a memfd", viaMmap + "open_shared@pth < " + root, Holding{File: true, Path: "/memfd:frames (deleted)"}, "shared memory"},
		{"a file", viaMmap + "open_index@pth < " + root, Holding{File: true, Path: "/srv/index"}, "file mapping"},
		{"coroutines", viaMmap + "make_coroutine@pth < " + root, Holding{ForStack: true}, "stack mapping"},
		{"a compiler", viaMmap + "emit@pth < " + root, Holding{Prot: event.ProtRead | event.ProtExec}, "generated code"},
		{"no stack", "", Holding{}, ""},
		{"no stack, brk", "", Holding{Call: "brk"}, "program break"},
	} {
		if tt.path != "" {
			tt.h.Frames = path(tt.path)
		}
		if tt.h.Call == "" {
			tt.h.Call = "mmap"
		}
		if got := OwnerOf(&tt.h); got.Name != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got.Name, tt.want)
		}
	}
}

// Every owner can be printed as it is.
func TestOwnersSpeak(t *testing.T) {
	for _, rules := range [][]rule{heaps, kinds} {
		for _, r := range rules {
			o := r.owner
			if o.Name == "" || !strings.HasSuffix(o.What, ".") || !strings.HasSuffix(o.Advice, ".") {
				t.Errorf("%q: %q %q", o.Name, o.What, o.Advice)
			}
		}
	}
}

func TestTemper(t *testing.T) {
	leak := Verdict{Kind: Leak, Why: "7 of 7 mappings were never unmapped.", Enough: true}
	got := Owner{Name: "Go heap", Managed: true}.Temper(leak)
	want := Verdict{Kind: Growing, Enough: true,
		Why: "7 of 7 mappings were never unmapped; but the Go heap keeps what it maps, so this alone is no leak."}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Owner{Name: "malloc block"}).Temper(leak); got != leak {
		t.Errorf("got %+v, want %+v", got, leak)
	}
}

// What nobody is known to have called for is no leak of one path.
func TestUncalled(t *testing.T) {
	leak := Verdict{Kind: Leak, Why: "It went on."}
	for text, want := range map[string]Verdict{
		viaMmap + stack.Incomplete + "@":                 {Kind: Growing, Why: "It went on; but it is not known who called, so this may be several paths."},
		viaMalloc + stack.Incomplete + "@":               {Kind: Growing, Why: "It went on; but it is not known who called, so this may be several paths."},
		stack.Incomplete + "@":                           {Kind: Growing, Why: "It went on; but it is not known who called, so this may be several paths."},
		viaMmap + "grow@pth < " + stack.Incomplete + "@": leak,
		viaMmap + root:                                   leak,
	} {
		if got := Uncalled(leak, path(text)); got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
	once := Verdict{Kind: Once, Why: "It mapped once."}
	if got := Uncalled(once, path(stack.Incomplete+"@")); got != once {
		t.Errorf("once: %+v", got)
	}
}
