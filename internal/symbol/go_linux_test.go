package symbol

import (
	"cmp"
	"debug/gosym"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// goProgram prints its own stack, a frame a line: the file offset of the
// return address, the function and the position. main.outer has main.middle
// and main.inner inlined into each other.
const goProgram = `package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

func offset(pc uint64) uint64 {
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		panic(err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		var lo, hi, off uint64
		var prot string
		if n, _ := fmt.Sscanf(l, "%x-%x %s %x", &lo, &hi, &prot, &off); n == 4 && lo <= pc && pc < hi {
			return pc - lo + off
		}
	}
	return 0
}

//go:noinline
func show() {
	var pcs [64]uintptr
	n := runtime.Callers(1, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	for i := range n {
		f, _ := frames.Next()
		fmt.Printf("%d %s %s:%d\n", offset(uint64(pcs[i])), f.Function, f.File, f.Line)
	}
}

func inner(n int) { show(); _ = n }
func middle(n int) { inner(n + 1) }

//go:noinline
func outer(n int) { middle(n + 2) }

type list[T any] struct{ v []T }

//go:noinline
func (l *list[T]) each(fn func(T)) {
	for _, v := range l.v {
		fn(v)
	}
}

func main() {
	b, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	l := list[int]{[]int{len(b)}}
	l.each(func(n int) { outer(n) })
	touchC()
}
`

const (
	noCgo   = "package main\n\nfunc touchC() {}\n"
	withCgo = "package main\n\n// static int twice(int n) { return n * 2; }\nimport \"C\"\n\nfunc touchC() { _ = C.twice(2) }\n"
)

// buildGo builds goProgram and returns the path of the binary.
func buildGo(t *testing.T, c string, args ...string) string {
	t.Helper()
	dir := source(t, "main.go", goProgram)
	for name, text := range map[string]string{"c.go": c, "go.mod": "module p\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CGO_ENABLED", map[string]string{noCgo: "0", withCgo: "1"}[c])
	run(t, dir, "go", append([]string{"build", "-o", "p"}, append(args, ".")...)...)
	return filepath.Join(dir, "p")
}

var goBuilds = []struct {
	name, c string
	args    []string
}{
	{"plain", noCgo, nil},
	{"stripped", noCgo, []string{"-ldflags=-s -w"}},
	{"pie", noCgo, []string{"-buildmode=pie"}},
	{"pie-stripped", noCgo, []string{"-buildmode=pie", "-ldflags=-s -w"}},
	{"cgo-stripped", withCgo, []string{"-ldflags=-s -w"}},
	{"cgo-pie-stripped", withCgo, []string{"-buildmode=pie", "-ldflags=-s -w"}},
}

// A program's own account of its stack, inlined calls and all, is what comes
// out for its return addresses.
func TestGoStackMatchesRuntime(t *testing.T) {
	for _, b := range goBuilds {
		t.Run(b.name, func(t *testing.T) {
			path := buildGo(t, b.c, b.args...)
			for _, p := range []string{path, behead(t, path)} {
				checkGoStack(t, module(t, p), run(t, "", path))
			}
			checkGosym(t, module(t, path))
		})
	}
}

// checkGoStack compares m's frames with the printed ones.
func checkGoStack(t *testing.T, m *Module, printed string) {
	t.Helper()
	var want, got []stack.Frame
	var skip int
	inlined := 0
	for line := range strings.Lines(printed) {
		f := strings.Fields(line)
		off, err := strconv.ParseUint(f[0], 10, 64)
		file, no, ok := strings.Cut(f[2], ":")
		n, nerr := strconv.Atoi(no)
		if err != nil || nerr != nil || !ok {
			t.Fatalf("bad line %q", line)
		}
		want = append(want, stack.Frame{Function: f[1], File: file, Line: n})
		if skip > 0 {
			skip--
			continue
		}
		fs := m.Frames(off, true)
		skip = len(fs) - 1
		inlined += skip
		for _, f := range fs {
			got = append(got, stack.Frame{Function: f.Function, File: f.File, Line: f.Line})
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if inlined < 2 || len(want) < 6 {
		t.Errorf("%d frames, %d inlined", len(want), inlined)
	}
}

// checkGosym compares names, starts and positions at every function's start
// and in its middle with those of debug/gosym.
func checkGosym(t *testing.T, m *Module) {
	t.Helper()
	g, err := m.golang()
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.src.bytes(g.off, min(g.size, m.src.size-g.off), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	oracle, err := gosym.NewTable(nil, gosym.NewLineTable(data, g.text))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, f := range oracle.Funcs {
		if i%7 != 0 {
			continue
		}
		for _, pc := range []uint64{f.Entry, f.Entry + (f.End-f.Entry)/2} {
			file, line, fn := oracle.PCToLine(pc)
			fs := g.frames(pc)
			name := cmp.Or(fs[len(fs)-1].Linkage, fs[len(fs)-1].Function)
			got := fmt.Sprint(name, fs[len(fs)-1].Start, fs[0].File, fs[0].Line)
			if want := fmt.Sprint(fn.Name, pc-f.Entry, file, max(line, 0)); got != want && file != "" {
				t.Errorf("%#x: got %s, want %s", pc, got, want)
			}
			n++
		}
	}
	t.Logf("%d addresses of %d functions compared", n, len(oracle.Funcs))
	if n < 100 {
		t.Errorf("%d addresses", n)
	}
}

// In a program with C code, the C function has its name too, and its line.
func TestCgoNamesC(t *testing.T) {
	path := buildGo(t, withCgo, "-gcflags=-l")
	m := module(t, path)
	for _, s := range nm(t, path) {
		if !strings.HasSuffix(s.name, "_twice") || strings.HasPrefix(s.name, "main.") {
			continue
		}
		f := m.Frames(offsetOf(t, m, s.addr), false)[0]
		if diff := gocmp.Diff(s.name, f.Function); diff != "" {
			t.Error(diff)
		}
		if filepath.Base(f.File) != "cgo-gcc-prolog" || f.Line == 0 {
			t.Errorf("%s:%d", f.File, f.Line)
		}
		return
	}
	t.Error("no C function")
}

func TestGoBuildID(t *testing.T) {
	path := buildGo(t, noCgo, "-ldflags=-B none -s -w")
	want := strings.TrimSpace(run(t, "", "go", "tool", "buildid", path))
	for _, p := range []string{path, behead(t, path)} {
		if got := module(t, p).BuildID(); got != want || got == "" {
			t.Errorf("%s: build ID %q, want %q", p, got, want)
		}
	}
}
