// Package stack holds call stacks as values: frames that were resolved once and
// the table that names each stack by the 64-bit hash under which it was captured.
package stack

import (
	"slices"
	"strings"
)

// An ID names a captured call stack: a 64-bit hash over its addresses, its
// address space and that space's generation of loaded code.
type ID uint64

// None means that no stack was captured.
const None ID = 0

// A Frame is one level of a call stack as people read it.
type Frame struct {
	// Function is the demangled name; empty when no symbol covers the address.
	Function string
	// Linkage is the mangled name if it differs from Function, else empty.
	Linkage string
	// Start is the distance in bytes from the start of Function to the address.
	Start uint64
	// Module is the path of the mapped file, "[vdso]" and the like for the
	// kernel's own, "[anon]" or "[anon:NAME]" for memory without a file, and
	// empty when the address lies in no mapping.
	Module string
	// BuildID is the module's GNU or Go build ID, or empty.
	BuildID string
	// Offset is the address's offset in the module's file in bytes; without a
	// file it is the address itself.
	Offset uint64
	// File and Line are the source position, if it is known.
	File string
	Line int
	// Inlined says that the function was inlined into the frame that follows it.
	Inlined bool
	// Guessed says that the frame was found by a frame pointer in code that says
	// nothing about its frames: it may be wrong.
	Guessed bool
}

// Names returns what f can be found by, none of it empty: the names of its function,
// and those of its module and source file with and without their directories.
func (f *Frame) Names() []string {
	names := []string{f.Function, f.Linkage, f.Module, base(f.Module), f.File, base(f.File)}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}

// base returns the last element of a path, "" if path is that already. "[anon:a/b]"
// is one element.
func base(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 || path[0] == '[' {
		return ""
	}
	return path[i+1:]
}

// What stands in place of a function at the root of a stack that is not
// complete.
const (
	// Truncated: there are more frames than are captured.
	Truncated = "[stack truncated]"
	// Incomplete: the way to the next frame could not be told.
	Incomplete = "[stack incomplete]"
)

// A Table holds the frames of every stack of a trace, leaf first.
type Table map[ID][]Frame
