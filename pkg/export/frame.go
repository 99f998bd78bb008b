package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// label names the function of f: its name, or "[libvendor.so.3+0x1234]" with the
// offset in the file (so that addr2line -e finds it), "[anon+0x7f..]" for code
// without a file, "[vdso]", "[0x7f..]" when only the address is known, and
// "[unknown]" when nothing is.
func label(f *stack.Frame) string {
	if f.Function != "" {
		return printable(f.Function)
	}
	switch f.Module {
	case "":
		if f.Offset != 0 {
			return fmt.Sprintf("[%#x]", f.Offset)
		}
		return "[unknown]"
	case "[vdso]", "[vsyscall]":
		return f.Module
	}
	name := strings.TrimSuffix(strings.TrimPrefix(moduleName(f), "["), "]")
	return fmt.Sprintf("[%s+%#x]", name, f.Offset)
}

// shortLabel is label without what a C++ function takes and what is behind that: one
// that a table or a sentence has room for. The stack below has it in full.
func shortLabel(f *stack.Frame) string {
	s := label(f)
	if f.Function == "" {
		return s
	}
	depth := 0
	for i := strings.LastIndexByte(s, ')'); i > 0; i-- {
		switch s[i] {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth == 0 {
			if s[i-1] == ':' || s[i-1] == ' ' || s[i-1] == '.' || strings.HasSuffix(s[:i], "operator") {
				return s // "(anonymous namespace)", "operator()", "(*T).Method"
			}
			return s[:i]
		}
	}
	return s
}

// moduleName returns the last element of f's module.
func moduleName(f *stack.Frame) string { return printable(base(f.Module)) }

// base returns the last element of a path; "[anon:a/b]" is one element.
func base(path string) string {
	if strings.HasPrefix(path, "[") {
		return path
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// calls are the names, without leading underscores, under which C libraries
// offer the system calls that change the map.
var calls = map[string]bool{
	"mmap": true, "mmap64": true, "munmap": true, "mremap": true,
	"brk": true, "sbrk": true, "shmat": true, "shmdt": true, "shmget": true,
	"mprotect": true, "madvise": true, "remap_file_pages": true,
	"io_setup": true, "io_destroy": true, "syscall": true, "syscall_cp": true,
}

// wrapper reports whether f only hands the system call on. In Go that is a
// function of any package that is called like the system call.
func wrapper(f *stack.Frame) bool {
	name, _, _ := strings.Cut(f.Function, "@")
	name = name[strings.LastIndexByte(name, '.')+1:]
	name = strings.TrimPrefix(name, "__GI_")
	return calls[strings.TrimLeft(name, "_")]
}

// libraries begin the names of C and C++ runtimes, loaders and allocators.
var libraries = []string{
	"libc.so", "libc-", "libc.musl", "ld-", "libpthread", "libstdc++.so", "libc++",
	"libjemalloc", "libtcmalloc", "libmimalloc", "libtbbmalloc", "libhoard",
}

// plumbing reports whether f belongs to a wrapper of the system call, to one of
// libraries, or to Go's runtime: code that maps memory for whoever called it.
func plumbing(f *stack.Frame) bool {
	if wrapper(f) {
		return true
	}
	for _, p := range libraries {
		if strings.HasPrefix(base(f.Module), p) {
			return true
		}
	}
	for _, p := range []string{"runtime.", "internal/runtime/", "syscall.", "golang.org/x/sys/unix."} {
		if strings.HasPrefix(f.Function, p) {
			return true
		}
	}
	return false
}

// blame returns the index of the frame that a reader should look at first, or
// len(frames) if none stands out: the innermost one that is no plumbing, else the
// innermost one that is no wrapper.
//
//	mmap             libc.so.6
//	sysmalloc_mmap   libc.so.6
//	malloc           libc.so.6
//	make_buffer      imgcache    <- blame
//	main             imgcache
func blame(frames []stack.Frame) int {
	for _, passed := range []func(*stack.Frame) bool{plumbing, wrapper} {
		for i := range frames {
			if !passed(&frames[i]) && !entry(&frames[i]) {
				return i
			}
		}
	}
	return len(frames)
}

// entry reports whether f is where a program or thread begins.
func entry(f *stack.Frame) bool {
	switch f.Function {
	case "_start", "__libc_start_main", "__libc_start_call_main", "start_thread", "clone", "clone3":
		return true
	}
	return strings.HasPrefix(f.Function, "__libc_start_main")
}
