package symbol

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

const cProgram = `
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
__attribute__((noinline)) static void *leaf(size_t n) {
	return mmap(0, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
__attribute__((noinline)) void *outer(size_t n) { void *p = leaf(n * 2); return (char *)p + 1; }
__attribute__((noinline, cold)) void cold(void) { puts("cold"); abort(); }
__asm__(".text\n.globl asm_a\n.type asm_a,@function\nasm_a: nop\nnop\nret\n"
	".globl asm_b\n.type asm_b,@function\nasm_b: nop\nret\n.size asm_b, .-asm_b\n"
	".globl asm_l\nasm_l: nop\nret\n");
extern void asm_a(void), asm_b(void);
int main(int argc, char **argv) {
	if (argc > 9) cold();
	asm_a(); asm_b();
	return outer(argc * 4096) == 0;
}
`

const cxxProgram = `
#include <vector>
#include <string>
namespace pool {
template <class T> struct Arena {
	Arena(); ~Arena();
	__attribute__((noinline)) T *grow(std::vector<T> const &v, int n);
};
template <class T> Arena<T>::Arena() { asm volatile(""); }
template <class T> Arena<T>::~Arena() { asm volatile(""); }
template <class T> T *Arena<T>::grow(std::vector<T> const &v, int n) { return new T[v.size() + n]; }
template struct Arena<std::string>;
}
int main(int argc, char **) {
	pool::Arena<std::string> a;
	std::vector<std::string> v(argc);
	return a.grow(v, argc) == nullptr;
}
`

// variants are ways to build the same C program.
var variants = map[string][]string{
	"plain":  {"-O2", "-no-pie"},
	"pie":    {"-O2", "-pie", "-fPIE"},
	"static": {"-O2", "-static"},
	"nopie":  {"-O0", "-no-pie", "-fno-omit-frame-pointer"},
}

func TestCMatchesNM(t *testing.T) {
	for name, flags := range variants {
		t.Run(name, func(t *testing.T) {
			dir := source(t, "p.c", cProgram)
			run(t, dir, "gcc", append(flags, "-o", "p", "p.c")...)
			path := filepath.Join(dir, "p")
			lo, hi := text(t, path)
			m := module(t, path)
			n, named := checkAgainst(t, m, nm(t, path), lo, hi, 500)
			t.Logf("%d addresses compared, %d with a name", n, named)
			if err := m.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// functionAt returns the frame at the symbol's address plus delta.
func functionAt(t *testing.T, m *Module, addrs map[string]uint64, name string, delta uint64) stack.Frame {
	t.Helper()
	addr, ok := addrs[name]
	if !ok {
		t.Fatalf("no symbol %s", name)
	}
	f := m.Frames(offsetOf(t, m, addr+delta), false)[0]
	return stack.Frame{Function: f.Function, Linkage: f.Linkage, Start: f.Start}
}

// addresses returns where nm sees each symbol, with a size or without.
func addresses(t testing.TB, path string) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	for line := range strings.Lines(run(t, "", "nm", "--defined-only", path)) {
		f := strings.Fields(line)
		if a, err := strconv.ParseUint(f[0], 16, 64); err == nil {
			out[f[2]] = a
		}
	}
	return out
}

func TestFunctionsWithoutSize(t *testing.T) {
	dir := source(t, "p.c", cProgram)
	run(t, dir, "gcc", "-O2", "-no-pie", "-o", "p", "p.c")
	path := filepath.Join(dir, "p")
	m, at := module(t, path), addresses(t, path)
	got := []stack.Frame{
		functionAt(t, m, at, "asm_a", 0),
		functionAt(t, m, at, "asm_a", 2),
		functionAt(t, m, at, "asm_b", 1),
		functionAt(t, m, at, "asm_l", 0), // a label is no function
		functionAt(t, m, at, "leaf", 1),
	}
	want := []stack.Frame{
		{Function: "asm_a"}, {Function: "asm_a", Start: 2}, {Function: "asm_b", Start: 1}, {}, {Function: "leaf", Start: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A stripped library exports asm_a without a size, and what follows it has no
// symbol any more: asm_a names nothing there.
func TestUnsizedExportNamesNothing(t *testing.T) {
	dir := source(t, "p.c", cProgram)
	run(t, dir, "gcc", "-O2", "-shared", "-fPIC", "-o", "p.so", "p.c")
	path := filepath.Join(dir, "p.so")
	at := addresses(t, path)
	run(t, dir, "strip", "p.so")
	m := module(t, path)
	got := []stack.Frame{
		functionAt(t, m, at, "asm_a", 1), functionAt(t, m, at, "asm_b", 1),
		functionAt(t, m, at, "leaf", 1), functionAt(t, m, at, "outer", 1),
	}
	want := []stack.Frame{{}, {Function: "asm_b", Start: 1}, {}, {Function: "outer", Start: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStrippedStaticHasNoNames(t *testing.T) {
	dir := source(t, "p.c", cProgram)
	run(t, dir, "gcc", "-O2", "-static", "-s", "-o", "p", "p.c")
	m := module(t, filepath.Join(dir, "p"))
	lo, hi := text(t, m.Path())
	for a := lo; a < hi; a += (hi - lo) / 1000 {
		if f := m.Frames(offsetOf(t, m, a), false)[0]; f.Function != "" {
			t.Fatalf("%#x: %q", a, f.Function)
		}
	}
	if err := m.Err(); err != nil {
		t.Error(err)
	}
}

// Names at every function of a C++ program are what c++filt makes of them.
func TestCXXNamesMatchFilt(t *testing.T) {
	dir := source(t, "p.cc", cxxProgram)
	run(t, dir, "g++", "-O1", "-o", "p", "p.cc")
	path := filepath.Join(dir, "p")
	m := module(t, path)
	n := 0
	for line := range strings.Lines(run(t, dir, "nm", "-S", "--defined-only", "p")) {
		f := strings.Fields(line)
		if len(f) != 4 || !strings.Contains("tTwW", f[2]) {
			continue
		}
		addr, _ := strconv.ParseUint(f[0], 16, 64)
		want := strings.TrimSpace(run(t, dir, "c++filt", f[3]))
		got := m.Frames(offsetOf(t, m, addr), false)[0]
		if got.Linkage == f[3] || got.Function == f[3] {
			if diff := cmp.Diff(want, got.Function); diff != "" && !strings.HasSuffix(f[3], ".cold") {
				t.Error(diff)
			}
			n++
		}
	}
	t.Logf("%d names compared", n)
	i := slices.IndexFunc(nm(t, path), func(s nmSymbol) bool { return strings.Contains(s.name, "Arena") && strings.Contains(s.name, "grow") })
	if n < 5 || i < 0 {
		t.Errorf("%d names, grow is %d", n, i)
	}
}
