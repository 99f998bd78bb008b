package symbol

import (
	"debug/dwarf"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// addr2line returns the frames that addr2line knows of each address. A line
// that it does not know is 0, and its paths are made shorter where that does
// not take a look at the disk.
func addr2line(t testing.TB, file string, addrs []uint64) [][]stack.Frame {
	t.Helper()
	var in strings.Builder
	for _, a := range addrs {
		fmt.Fprintf(&in, "%#x\n", a)
	}
	cmd := exec.Command(need(t, "addr2line"), "-a", "-i", "-f", "-C", "-e", file)
	cmd.Stdin = strings.NewReader(in.String())
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]stack.Frame
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "0x") {
			out = append(out, nil)
			continue
		}
		f := stack.Frame{Function: lines[i], Inlined: true}
		i++
		at, _, _ := strings.Cut(lines[i], " (discriminator")
		colon := strings.LastIndexByte(at, ':')
		_, _ = fmt.Sscanf(at[colon+1:], "%d", &f.Line)
		if f.File = path.Clean(at[:colon]); f.Line == 0 {
			f.File = ""
		}
		last := &out[len(out)-1]
		*last = append(*last, f)
	}
	for _, fs := range out {
		fs[len(fs)-1].Inlined = false
	}
	return out
}

// randomText returns n addresses of .text.
func randomText(t testing.TB, file string, n int) []uint64 {
	t.Helper()
	lo, hi := text(t, file)
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]uint64, n)
	for i := range out {
		out[i] = lo + rnd.Uint64N(hi-lo)
	}
	return out
}

// brief returns a frame as a line.
func brief(f stack.Frame) string {
	return fmt.Sprintf("%s %s:%d %v", f.Function, f.File, f.Line, f.Inlined)
}

// An addr2line of binutils 2.40 differs on purpose or by mistake in these ways.
const (
	// A name without its namespaces and types: that is all it has of functions
	// without a linkage name.
	unscoped = "name without its scope"
	// The leaf has no linkage name, and gets that of the symbol around it.
	symbolName = "name of the symbol for an inlined call"
	// Rows of a DWARF 5 line program before its first change of file get the
	// unit's own file, where file 1 is meant. Package debug/dwarf decides.
	firstFile = "first file of a line program"
	// A constructor that is inherited has the name of the base class, not of its own.
	inheritedName = "inherited constructor"
	// What lies between two functions has the name of the first, here it has none.
	between = "between functions"
	// The two demanglers write a tuple's constructor and the empty tuple of Rust in
	// different ways.
	tupleName = "tuple of Rust"
	// A function that only the symbol table knows has more than one name.
	otherAlias = "alias"
)

// difference tells how the frames of addr differ from addr2line's: "" for not at
// all, one of the ways above, or what is wrong.
func difference(t *testing.T, m *Module, addr uint64, got, want []stack.Frame) string {
	t.Helper()
	if len(got) != len(want) {
		return "depth"
	}
	kind := ""
	for i := range got {
		g, w := got[i], want[i]
		if g.Line != w.Line || g.Inlined != w.Inlined {
			return "position"
		}
		if g.File != w.File {
			if i > 0 || !strings.HasSuffix(g.File, stdlibFile(t, m, addr)) {
				return "file"
			}
			kind = firstFile
		}
		switch d := nameDifference(m, addr, got, want, i); d {
		case "":
		case "name":
			return d
		default:
			kind = d
		}
	}
	return kind
}

// nameDifference is difference for the name of frame i.
func nameDifference(m *Module, addr uint64, got, want []stack.Frame, i int) string {
	g, w := got[i].Function, cutCopies(want[i].Function)
	if i == len(got)-1 { // ours is the symbol's
		if fs := m.debugFrames(addr); len(fs) == len(got) && g != w {
			g = fs[i].Function
		}
	}
	last := got[len(got)-1].Function
	switch {
	case g == w, g == "" && w == "??":
		return ""
	case g == "" && len(want) == 1:
		return between
	case got[i].File == "" && slices.Contains(aliases(m, addr), w):
		return otherAlias
	case untupled(g) == untupled(w):
		return tupleName
	case strings.HasSuffix(g, "::"+w):
		return unscoped
	case i == 0 && got[0].Linkage == "" && w == last:
		return symbolName
	case inheritedRE.MatchString(got[i].Linkage):
		return inheritedName
	}
	return "name"
}

// aliases returns the names that the first symbol table has for addr.
func aliases(m *Module, addr uint64) []string {
	var out []string
	t := m.tables()[0]
	for _, s := range t.find(addr) {
		n, _ := t.src.text(t.table.names+uint64(s.name), maxLinkage)
		out = append(out, n)
	}
	return out
}

// untupled removes what demanglers write in different ways.
func untupled(name string) string {
	return strings.NewReplacer("::>", ">", ", ()", "").Replace(name)
}

// inheritedRE finds the mark of an inherited constructor in a linkage name.
var inheritedRE = regexp.MustCompile("CI[1-5]")

// cutCopies cuts what addr2line says of copies of a function, which is left out
// of names here.
func cutCopies(name string) string {
	name, _, _ = strings.Cut(name, " [clone .")
	return strings.TrimSuffix(name, ".cold")
}

// stdlib holds what debug/dwarf has read.
var stdlib struct {
	sync.Mutex
	data map[*debugFile]*dwarf.Data
}

// stdlibFile returns the base name of the source file that debug/dwarf has for
// addr.
func stdlibFile(t *testing.T, m *Module, addr uint64) string {
	t.Helper()
	f, err := m.debug()
	if err != nil {
		t.Fatal(err)
	}
	stdlib.Lock()
	defer stdlib.Unlock()
	d := stdlib.data[f]
	if d == nil {
		if d, err = f.im.DWARF(); err != nil {
			t.Fatal(err)
		}
		stdlib.data = map[*debugFile]*dwarf.Data{f: d}
	}
	cu, err := d.Reader().SeekPC(addr)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.LineReader(cu)
	if err != nil {
		t.Fatal(err)
	}
	var e dwarf.LineEntry
	if err := r.SeekPC(addr, &e); err != nil {
		t.Fatal(err)
	}
	return path.Base(e.File.Name)
}
