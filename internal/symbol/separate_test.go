package symbol

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

const splitProgram = `
static __attribute__((noinline)) int hidden(int n) { __asm__ volatile(""); return n * 3; }
static inline int twice(int n) { return hidden(n) + hidden(n + 1); }
__attribute__((noinline)) int shown(int n) { return twice(n) + 1; }
int main(int argc, char **argv) { return shown(argc); }
`

// A split is a program, its debug file, and the same program without either
// debug information or symbols.
type split struct {
	dir, whole, debug, bare string
	id                      string
	at                      uint64 // file offset of the address behind the first call in shown
}

// splitUp builds splitProgram and splits it.
func splitUp(t testing.TB) split {
	t.Helper()
	dir := source(t, "p.c", splitProgram)
	s := split{dir: dir, whole: filepath.Join(dir, "whole"), debug: filepath.Join(dir, "p.debug"), bare: filepath.Join(dir, "p")}
	run(t, dir, "gcc", "-O2", "-g", "-Wl,--build-id", "-o", "whole", "p.c")
	run(t, dir, "objcopy", "--only-keep-debug", "whole", "p.debug")
	run(t, dir, "objcopy", "--strip-all", "whole", "p")
	m := module(t, s.whole)
	s.id = m.BuildID()
	addr := addresses(t, s.whole)["shown"]
	for n := uint64(1); s.at == 0; n++ {
		if fs := m.Frames(offsetOf(t, m, addr+n), true); len(fs) == 2 {
			s.at = offsetOf(t, m, addr+n)
		}
		if n > 64 {
			t.Fatal("nothing is inlined into shown")
		}
	}
	return s
}

// briefs returns function, line and inlining of the frames at s.at and the name
// of hidden.
func (s split) briefs(t testing.TB, m *Module) []stack.Frame {
	t.Helper()
	hidden := offsetOf(t, m, addresses(t, s.whole)["hidden"])
	fs := append(m.Frames(s.at, true), m.Frames(hidden, false)...)
	var out []stack.Frame
	for _, f := range fs {
		out = append(out, stack.Frame{Function: f.Function, Line: f.Line, Inlined: f.Inlined, File: filepath.Base(f.File)})
	}
	return out
}

// complete is what briefs returns where everything is found, and nothing where
// that is found.
var (
	complete = []stack.Frame{
		{Function: "twice", Line: 3, Inlined: true, File: "p.c"}, {Function: "shown", Line: 4, File: "p.c"},
		{Function: "hidden", Line: 2, File: "p.c"},
	}
	nothing = []stack.Frame{{File: "."}, {File: "."}}
)

// with returns the bare program's module in a Symbolizer with the options.
func (s split) with(t testing.TB, o Options) (*Symbolizer, *Module) {
	t.Helper()
	y := NewWith(o)
	t.Cleanup(func() {
		if err := y.Close(); err != nil {
			t.Error(err)
		}
	})
	return y, y.Module(s.bare, open(t, s.bare))
}

// place moves the debug file to path below the directory root.
func (s split) place(t testing.TB, root, path string) {
	t.Helper()
	b, err := os.ReadFile(s.debug)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutDebugFile(t *testing.T) {
	s := splitUp(t)
	y, m := s.with(t, Options{Dirs: []string{t.TempDir()}})
	if diff := cmp.Diff(nothing, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
	got := y.Missing()
	if len(got) != 1 || !errors.Is(got[0].Why, errNoDebug) || !errors.Is(got[0].Why, errNoSymbols) {
		t.Fatalf("%+v", got)
	}
	got[0].Why = nil
	if diff := cmp.Diff([]Missing{{Path: s.bare, BuildID: s.id, Asked: 2, Nameless: 2, Lineless: 2}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDebugFileByBuildID(t *testing.T) {
	s := splitUp(t)
	host, target := t.TempDir(), t.TempDir()
	s.place(t, host, buildIDPath("/", s.id))
	s.place(t, target, buildIDPath(defaultDebugDir, s.id))
	root := func(p string) (*os.File, error) { return os.Open(filepath.Join(target, p)) }
	for name, o := range map[string]Options{"host": {Dirs: []string{host}}, "target": {Root: root}} {
		t.Run(name, func(t *testing.T) {
			y, m := s.with(t, o)
			if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
				t.Error(diff)
			}
			if got := y.Missing(); len(got) != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A debug file of another build is not used, whatever its name is.
func TestDebugFileOfAnotherBuild(t *testing.T) {
	s := splitUp(t)
	other := s
	other.debug = libc(t)
	host := t.TempDir()
	other.place(t, host, buildIDPath("/", s.id))
	y, m := s.with(t, Options{Dirs: []string{host}})
	if diff := cmp.Diff(nothing, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
	if got := y.Missing(); len(got) != 1 || !errors.Is(got[0].Why, errNotSame) {
		t.Errorf("%+v", got)
	}
}

func TestDebugLink(t *testing.T) {
	for name, at := range map[string]string{"beside": "p.debug", "subfolder": ".debug/p.debug", "global": "/usr/lib/debug"} {
		t.Run(name, func(t *testing.T) {
			s := splitUp(t)
			run(t, s.dir, "objcopy", "--add-gnu-debuglink=p.debug", "--remove-section=.note.gnu.build-id", "p")
			o := Options{Dirs: []string{t.TempDir()}}
			if name == "global" {
				s.place(t, o.Dirs[0], s.dir+"/p.debug")
			} else {
				s.place(t, s.dir, at)
			}
			if name != "beside" {
				if err := os.Remove(s.debug); err != nil {
					t.Fatal(err)
				}
			}
			_, m := s.with(t, o)
			if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDebugLinkChecksTheSum(t *testing.T) {
	s := splitUp(t)
	run(t, s.dir, "objcopy", "--add-gnu-debuglink=p.debug", "--remove-section=.note.gnu.build-id", "p")
	f, err := os.OpenFile(s.debug, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	y, m := s.with(t, Options{Dirs: []string{t.TempDir()}})
	if diff := cmp.Diff(nothing, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
	if got := y.Missing(); len(got) != 1 || !errors.Is(got[0].Why, errNotSame) {
		t.Errorf("%+v", got)
	}
}

// Symbols that are packed into the file itself name its static functions.
func TestMiniDebugInfo(t *testing.T) {
	s := splitUp(t)
	run(t, s.dir, "objcopy", "-S", "--keep-symbol=hidden", "--keep-symbol=shown", "--remove-section=.comment", "whole", "mini")
	run(t, s.dir, "xz", "-k", "mini")
	run(t, s.dir, "objcopy", "--add-section", ".gnu_debugdata=mini.xz", "p")
	y, m := s.with(t, Options{Dirs: []string{t.TempDir()}})
	want := []stack.Frame{{Function: "shown", File: "."}, {Function: "hidden", File: "."}}
	if diff := cmp.Diff(want, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
	if got := y.Missing(); len(got) != 1 || got[0].Nameless != 0 || got[0].Lineless != 2 {
		t.Errorf("%+v", got)
	}
}

// Names that two programs share were moved to a third file by dwz.
func TestSharedDebugFile(t *testing.T) {
	need(t, "dwz")
	s := splitUp(t)
	run(t, s.dir, "cp", "whole", "a")
	run(t, s.dir, "cp", "whole", "b")
	run(t, s.dir, "dwz", "-m", "shared.debug", "a", "b")
	m := module(t, filepath.Join(s.dir, "a"))
	m.s.opts.Dirs = []string{s.dir}
	run(t, s.dir, "mkdir", ".dwz")
	run(t, s.dir, "cp", "shared.debug", ".dwz")
	if f, err := m.debug(); err != nil || m.s.shared(f.im) == nil {
		t.Error("nothing is shared", err)
	}
	if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
}
