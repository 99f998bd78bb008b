package unwind

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestReadelf compares every row of some files with readelf's idea of it, and
// those of the files in the directory $MMTRACE_ELF_FILES, of either machine.
func TestReadelf(t *testing.T) {
	files := []string{
		"/lib64/ld-linux-x86-64.so.2",
		"/lib/x86_64-linux-gnu/libc.so.6",
		"/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libLLVM.so.19.1",
	}
	if dir := os.Getenv("MMTRACE_ELF_FILES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(more) == 0 {
			t.Fatalf("looking for files in %s: %v", dir, err)
		}
		files = more
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { compareReadelf(t, name) })
	}
}

func compareReadelf(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath("readelf"); err != nil {
		testutil.Need(t, "readelf")
	}
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	infos := NewInfos()
	table := buildFile(t, name, infos)
	cmd := exec.Command("readelf", "--debug-dump=frames-interp", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rows, wrong := 0, 0
	readelfRows(t, table.arch, out, func(addr uint64, want []Info) {
		rows++
		x, ok := table.Find(addr)
		if got := infos.At(x); !ok || !oneOf(got, want) {
			if wrong++; wrong <= 10 {
				t.Errorf("at %#x: %+v, want one of %+v", addr, got, want)
			}
		}
	})
	_ = cmd.Wait() // it fails on what it merely does not like
	t.Logf("%d rows, %d differences, %+v, %d infos", rows, wrong, table.Stats(), len(infos.From(0)))
	if rows == 0 {
		t.Error("readelf printed no rows")
	}
}

func oneOf(got Info, want []Info) bool {
	for _, w := range want {
		if w.Kind == PLT || w.Kind == Deref { // readelf says only "exp"
			w.Base, w.Off, w.Off2 = got.Base, got.Off, got.Off2
		}
		if w.FP == FPAtFP {
			w.FPOff = got.FPOff
		}
		if got == w {
			return true
		}
	}
	return false
}

func buildFile(t testing.TB, name string, infos *Infos) *Table {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	table, err := Build(f, fi.Size(), infos)
	if err != nil {
		t.Fatalf("building the table of %s: %v", name, err)
	}
	return table
}

// A dump is what has been read of readelf's output.
type dump struct {
	arch    *arch
	signals map[string]bool     // CIEs by offset
	columns map[string][]string // of CIEs
	initial map[string][]string // first rows of CIEs
	cie     string
	begin   uint64
	end     uint64
	cols    []string
	pending []string // the row whose end is not known yet
	fde     bool
	rows    int
}

// alias is the second name of a register that readelf adds in a cell.
var alias = regexp.MustCompile(` \(\w+\)`)

// readelfRows calls fn with each row of the functions, and the infos that are
// right for it.
func readelfRows(t *testing.T, a *arch, r io.Reader, fn func(addr uint64, want []Info)) {
	t.Helper()
	d := dump{arch: a, signals: map[string]bool{}, columns: map[string][]string{}, initial: map[string][]string{}}
	row := func(f []string) {
		addr, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil {
			t.Fatalf("reading %q: %v", f, err)
		}
		if addr < d.end || addr == d.begin {
			fn(addr, d.infos(f))
		}
	}
	flush := func() {
		if d.pending != nil {
			row(d.pending)
		} else if d.fde && d.rows == 0 && d.begin < d.end {
			if f := d.initial[d.cie]; f != nil {
				d.cols = d.columns[d.cie]
				fn(d.begin, d.infos(f))
			}
		}
		d.pending = nil
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		f := strings.Fields(alias.ReplaceAllString(s.Text(), ""))
		switch {
		case len(f) > 4 && f[3] == "CIE":
			flush()
			d.fde, d.cie = false, f[0]
			d.signals[d.cie] = strings.Contains(f[4], "S")
		case len(f) > 4 && f[3] == "FDE":
			flush()
			d.fde, d.rows = true, 0
			d.cie = strings.TrimPrefix(f[4], "cie=")
			if _, err := fmt.Sscanf(f[5], "pc=%x..%x", &d.begin, &d.end); err != nil {
				t.Fatalf("reading %q: %v", s.Text(), err)
			}
		case len(f) > 1 && f[0] == "LOC":
			d.cols = f[2:]
			if !d.fde {
				d.columns[d.cie] = f[2:]
			}
		case len(f) > 1 && len(f[0]) == 16:
			if !d.fde {
				d.initial[d.cie] = f
				continue
			}
			d.rows++
			if d.pending != nil && d.pending[0] != f[0] {
				row(d.pending)
			}
			d.pending = f
		}
	}
	flush()
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// infos returns what a row may become. readelf says of an expression only that
// it is one, and an unspecified return address looks like an undefined one.
func (d *dump) infos(f []string) []Info {
	if d.signals[d.cie] {
		return []Info{{Kind: Signal}}
	}
	ra, fp := "u", "u"
	for i, name := range d.cols {
		switch name {
		case "ra":
			ra = f[i+2]
		case "rbp", "x29":
			fp = f[i+2]
		}
	}
	out := d.cfas(f[1])
	for i := range out {
		setFP(&out[i], fp)
		switch {
		case out[i].Kind == Unsupported:
		case strings.HasPrefix(ra, "c"):
			out[i].Off2 = number(ra[1:])
		case ra == "u" && d.arch.link:
			out[i].Link = 1
		default:
			out[i] = Info{Kind: Unsupported}
		}
	}
	if fp == "exp" {
		for _, in := range out {
			in.FP = FPLost
			out = append(out, in)
		}
	}
	if ra == "u" {
		out = append(out, Info{Kind: Root})
	}
	return out
}

// cfas returns infos with the CFA that cell says.
func (d *dump) cfas(cell string) []Info {
	reg, off := cell, ""
	if i := strings.IndexAny(cell, "+-"); i > 0 {
		reg, off = cell[:i], cell[i:]
	}
	switch reg {
	case "rsp", "sp":
		return []Info{{Kind: Reg, Off: number(off)}}
	case "rbp", "x29":
		return []Info{{Kind: Reg, Base: FP, Off: number(off)}}
	case "exp":
		return []Info{{Kind: PLT}, {Kind: Deref}, {Kind: Unsupported}}
	}
	return []Info{{Kind: Unsupported}}
}

func setFP(in *Info, cell string) {
	switch {
	case in.Kind == Unsupported || cell == "u" || cell == "s":
	case strings.HasPrefix(cell, "c"):
		in.FP, in.FPOff = FPAtCFA, number(cell[1:])
	case cell == "exp":
		in.FP = FPAtFP
	default:
		in.FP = FPLost
	}
}

func number(s string) int32 {
	n, _ := strconv.Atoi(s)
	return int32(n)
}
