package symbol

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A splitBuild is a program whose debug information was split off, and the same
// program with all of it.
type splitBuild struct {
	whole, split, dwo string
	addrs             []uint64 // of the text, which both have
}

// buildSplit builds a C++ program twice.
func buildSplit(t *testing.T, cxx, version, src string) splitBuild {
	t.Helper()
	dir := t.TempDir()
	b := splitBuild{whole: filepath.Join(dir, "whole"), split: filepath.Join(dir, "p"), dwo: filepath.Join(dir, "p.dwo")}
	flags := []string{"-std=c++17", "-O2", "-fPIC", version}
	run(t, dir, cxx, append(flags, "-c", src, "-o", "whole.o")...)
	run(t, dir, cxx, append(flags, "-gsplit-dwarf", "-c", src, "-o", "p.o")...)
	for _, exe := range []string{"whole", "p"} {
		run(t, dir, cxx, "-o", exe, exe+".o")
	}
	b.addrs = randomText(t, b.whole, 1000)
	if diff := cmp.Diff(b.addrs, randomText(t, b.split, 1000)); diff != "" {
		t.Fatal(diff)
	}
	return b
}

// splitSource writes a program, one for each number, and returns its path. That
// of number 1 has all code in one piece, from which ranges are counted.
func splitSource(t *testing.T, number string) string {
	text := fuzzProgram
	if number == "1" {
		text = strings.ReplaceAll(text, "cold, ", "")
	}
	text += "int hidden(int n) { return n + " + number + "; }\nint main(int n, char **) { return many(n); }\n"
	return filepath.Join(source(t, "p.cc", text), "p.cc")
}

// frames returns the frames of all addresses without what tells the two apart.
func (b splitBuild) frames(t *testing.T, m *Module) (out [][]stack.Frame, inlined int) {
	for _, a := range b.addrs {
		fs := m.Frames(offsetOf(t, m, a), false)
		for i := range fs {
			fs[i].Module, fs[i].BuildID, fs[i].Offset = "", "", 0
		}
		out = append(out, fs)
		inlined += len(fs) - 1
	}
	return out, inlined
}

// check requires of the split program all that the whole one tells.
func (b splitBuild) check(t *testing.T) {
	t.Helper()
	want, inlined := b.frames(t, module(t, b.whole))
	m := module(t, b.split)
	got, _ := b.frames(t, m)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-whole +split):\n%s", diff)
	}
	if inlined < 50 {
		t.Errorf("%d inlined calls", inlined)
	}
	for _, x := range m.s.Missing() {
		if errors.Is(x.Why, errSplit) {
			t.Error(x.Why)
		}
	}
}

// Debug information that was split off is found beside the program, where the
// compiler has put it, and in a package of all; one of another build is not used.
func TestSplitDebugInformation(t *testing.T) {
	t.Parallel()
	for _, cxx := range []string{"g++", "clang++-19"} {
		for _, version := range []string{"-gdwarf-4", "-gdwarf-5"} {
			t.Run(cxx+version, func(t *testing.T) {
				b := buildSplit(t, cxx, version, splitSource(t, "1"))
				b.check(t)
				run(t, filepath.Dir(b.split), "llvm-dwp-19", "-o", b.split+".dwp", b.dwo)
				must(t, os.Rename(b.dwo, b.dwo+".away"))
				b.check(t)
				must(t, os.Remove(b.split+".dwp"))
				b.checkMissing(t, errSplit)
				other := buildSplit(t, cxx, version, splitSource(t, "2"))
				other.check(t)
				must(t, os.Rename(other.dwo, b.dwo))
				b.checkMissing(t, errNotSame)
			})
		}
	}
}

// checkMissing requires the lines, which are in the program itself, and the
// reason why there are no inlined calls.
func (b splitBuild) checkMissing(t *testing.T, why error) {
	t.Helper()
	want, _ := b.frames(t, module(t, b.whole))
	m := module(t, b.split)
	got, _ := b.frames(t, m)
	for i := range want {
		leaf, last := want[i][0], want[i][len(want[i])-1]
		leaf.Function, leaf.Linkage, leaf.Inlined, leaf.Start = last.Function, last.Linkage, false, last.Start
		want[i] = []stack.Frame{leaf}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if x := m.s.Missing(); len(x) != 1 || !errors.Is(x[0].Why, why) {
		t.Errorf("%+v, want %v", x, why)
	}
}

func TestSplitMatchesAddr2line(t *testing.T) {
	t.Parallel()
	b := buildSplit(t, "g++", "-gdwarf-5", testdata(t, "inlined.cc"))
	compareAll(t, module(t, b.split), b.addrs, addr2line(t, b.whole, b.addrs), mostCXX)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
