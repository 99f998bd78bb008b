package symbol

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A most says how many addresses of a thousand may be in each class of
// difference. Those of no class and of one that is not named may not be at all.
// The numbers are what compilers of several years give, and half as much again:
// more means that something else has got into a class.
type most map[string]int

// compareAll compares m's frames with addr2line's and returns how many addresses
// are in each class of difference.
func compareAll(t *testing.T, m *Module, addrs []uint64, wants [][]stack.Frame, allowed most) map[string]int {
	t.Helper()
	kinds, inlined, wrong := map[string]int{}, 0, 0
	for i, want := range wants {
		got := m.Frames(offsetOf(t, m, addrs[i]), false)
		d := difference(t, m, addrs[i], got, want)
		kinds[d]++
		inlined += len(got) - 1
		if _, ok := allowed[d]; ok || d == "" {
			continue
		}
		if wrong++; wrong > 3 {
			t.Fail()
			continue
		}
		var a, b []string
		for _, f := range got {
			a = append(a, brief(f))
		}
		for _, f := range want {
			b = append(b, brief(f))
		}
		t.Errorf("%s at %#x: %s", d, addrs[i], cmp.Diff(b, a))
	}
	for class, n := range allowed {
		if kinds[class] > n {
			t.Errorf("%d addresses differ in %q, want %d at most", kinds[class], class, n)
		}
	}
	t.Logf("%d addresses, %d inlined calls: %v", len(addrs), inlined, kinds)
	return kinds
}

// testdata returns the absolute path of a file in testdata.
func testdata(t testing.TB, name string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// In C++ with GCC the rule is the first class: of what the standard library's
// templates bring, nearly every inlined call has no linkage name. All else is
// compared for those addresses, too.
var mostCXX = most{unscoped: 800, symbolName: 40, firstFile: 10, inheritedName: 5, between: 20}

func TestCXXMatchesAddr2line(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"-gdwarf-5", "-gdwarf-4"} {
		t.Run(v, func(t *testing.T) {
			dir := t.TempDir()
			exe := filepath.Join(dir, "p")
			run(t, dir, "g++", v, "-std=c++17", "-O2", "-o", exe, testdata(t, "inlined.cc"))
			addrs := randomText(t, exe, 1000)
			wants := addr2line(t, exe, addrs)
			plain := compareAll(t, module(t, exe), addrs, wants, mostCXX)
			for _, kind := range []string{"zlib", "zstd"} {
				run(t, dir, "llvm-objcopy-19", "--compress-debug-sections="+kind, exe, exe+kind)
				packed := compareAll(t, module(t, exe+kind), addrs, wants, mostCXX)
				if diff := cmp.Diff(plain, packed); diff != "" {
					t.Errorf("%s: %s", kind, diff)
				}
			}
		})
	}
}

// The C library has a debug file on some machines: hand-written assembly, parts
// that were split off, and a compressed section of names.
func TestLibcMatchesAddr2line(t *testing.T) {
	m := moduleWith(t, libc(t), Options{})
	addrs := randomText(t, m.Path(), 1000)
	at := offsetOf(t, m, addrs[0])
	begin := time.Now()
	m.Frames(at, false)
	t.Logf("the first answer took %v", time.Since(begin))
	f, err := m.debug()
	if err != nil {
		t.Skip(err)
	}
	compareAll(t, m, addrs, addr2line(t, f.path, addrs),
		most{firstFile: 70, between: 30, otherAlias: 5})
}

func TestRustMatchesAddr2line(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exe := filepath.Join(dir, "p")
	run(t, dir, "rustc", "-O", "-g", "-o", exe, testdata(t, "inlined.rs"))
	addrs := randomText(t, exe, 1000)
	compareAll(t, module(t, exe), addrs, addr2line(t, exe, addrs), most{tupleName: 5, between: 30})
}
