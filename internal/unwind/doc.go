// Package unwind turns what ELF files say of their stack frames into tables
// with which a stack is walked without frame pointers, in the kernel and here.
//
// Build reads one file and makes its Table. A Walker goes up a stack by such
// tables, given registers and memory: it finishes, from a copy of the stack,
// the walks that the kernel side could not, and is the model of bpf/unwind.h,
// which takes the same steps in the same order.
//
// x86-64 and arm64. Every file is taken as hostile: time and memory are bounded
// by its size, and what it says wrongly costs the rows concerned.
package unwind
