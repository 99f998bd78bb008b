package symbol

import (
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// libc returns the path of the C library, as the linker of this machine's C
// compiler finds it.
func libc(t testing.TB) string {
	t.Helper()
	p := strings.TrimSpace(run(t, "", "gcc", "-print-file-name=libc.so.6"))
	if _, err := os.Stat(p); err != nil {
		t.Skip(err)
	}
	return p
}

// An nmSymbol is a line of nm -S: a function with a size.
type nmSymbol struct {
	addr, size uint64
	name       string
}

// nm returns the functions of a file that have a size, versions cut, in the
// order of nm.
func nm(t testing.TB, path string, args ...string) []nmSymbol {
	t.Helper()
	var out []nmSymbol
	for line := range strings.Lines(run(t, "", "nm", append(args, "-S", "--defined-only", path)...)) {
		f := strings.Fields(line)
		if len(f) != 4 || !strings.Contains("tTwWiu", f[2]) {
			continue
		}
		addr, err1 := strconv.ParseUint(f[0], 16, 64)
		size, err2 := strconv.ParseUint(f[1], 16, 64)
		if err1 == nil && err2 == nil {
			out = append(out, nmSymbol{addr, size, cutVersion(f[3])})
		}
	}
	return out
}

// text returns the bounds of .text.
func text(t testing.TB, path string) (lo, hi uint64) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(".text")
	return s.Addr, s.Addr + s.Size
}

// checkAgainst compares the names at n random addresses, and at the edges of
// every function, with nm's sized functions: there must be a name exactly where
// nm has one, and it must be one of nm's for that address. Addresses in
// functions without a size are not asked for. It returns the number of
// addresses that were compared and how many had a name.
func checkAgainst(t *testing.T, m *Module, syms []nmSymbol, lo, hi uint64, n int) (compared, named int) {
	t.Helper()
	slices.SortFunc(syms, func(a, b nmSymbol) int { return int(int64(a.addr) - int64(b.addr)) })
	rnd := rand.New(rand.NewPCG(1, 2))
	addrs := make([]uint64, 0, n+3*len(syms))
	for range n {
		addrs = append(addrs, lo+rnd.Uint64N(hi-lo))
	}
	for _, s := range syms {
		if s.addr >= lo && s.addr+s.size < hi {
			addrs = append(addrs, s.addr, s.addr+s.size-1, s.addr+s.size)
		}
	}
	for _, a := range addrs {
		var names []string
		for _, s := range syms {
			if s.addr > a {
				break
			}
			if a < s.addr+s.size {
				names = append(names, s.name)
			}
		}
		f := m.Frames(offsetOf(t, m, a), false)[0]
		got := f.Linkage
		if got == "" {
			got = f.Function
		}
		compared++
		if len(names) == 0 && got != "" && m.openAt(a) {
			continue // a function without a size
		}
		if len(names) == 0 && got != "" || len(names) > 0 && !slices.Contains(names, got) {
			t.Errorf("%#x: got %q, nm has %q", a, got, names)
		}
		if got != "" {
			named++
		}
	}
	return compared, named
}

// openAt says whether the symbol found at addr has no size in the file.
func (m *Module) openAt(addr uint64) bool {
	s, err := m.syms()
	if err != nil {
		return false
	}
	found := s.find(addr)
	return len(found) > 0 && found[0].open
}

func TestLibcMatchesNM(t *testing.T) {
	path := libc(t)
	lo, hi := text(t, path)
	for _, p := range []string{path, behead(t, path)} {
		m := module(t, p)
		compared, named := checkAgainst(t, m, nm(t, path, "-D"), lo, hi, 2000)
		if err := m.Err(); err != nil {
			t.Error(err)
		}
		t.Logf("%d addresses compared, %d with a name", compared, named)
		if named < 1000 {
			t.Errorf("%d of %d addresses have a name", named, compared)
		}
	}
}

func TestPublicNameGoesFirst(t *testing.T) {
	m := module(t, libc(t))
	for _, s := range nm(t, libc(t), "-D") {
		if s.name != "munmap" && s.name != "mmap" && s.name != "malloc" {
			continue
		}
		f := m.Frames(offsetOf(t, m, s.addr+s.size), true)[0]
		if diff := cmp.Diff([]any{s.name, s.size - 1}, []any{f.Function, f.Start}); diff != "" {
			t.Error(diff)
		}
	}
}

func TestBuildIDMatchesReadelf(t *testing.T) {
	path := libc(t)
	_, want, _ := strings.Cut(run(t, "", "readelf", "-n", path), "Build ID: ")
	want, _, _ = strings.Cut(want, "\n")
	for _, p := range []string{path, behead(t, path)} {
		if got := module(t, p).BuildID(); got != strings.TrimSpace(want) || got == "" {
			t.Errorf("%s: build ID %q, want %q", p, got, want)
		}
	}
}

func ExampleModule_Frames() {
	m := brokenModule("/usr/lib/libvendor.so.3", os.ErrPermission)
	f := m.Frames(0x1235, true)[0]
	fmt.Printf("%q %s+%#x\n", f.Function, f.Module, f.Offset)
	// Output: "" /usr/lib/libvendor.so.3+0x1234
}
