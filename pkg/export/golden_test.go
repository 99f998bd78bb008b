package export

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldens are the reports and options whose whole output is kept in testdata.
var goldens = []struct {
	file   string
	report func() *report.Report
	opts   Options
}{
	{"plain.txt", plainLeak, Options{}},
	{"plain.folded", plainLeak, Options{}},
	{"plain.json", plainLeak, Options{}},
	{"rich.txt", rich, Options{}},
	{"rich.folded", rich, Options{}},
	{"rich.json", rich, Options{}},
	{"rich-count.folded", rich, Options{Value: "count", NoComm: true, Addrs: true}},
	{"rich.diff.folded", rich, Options{}},
	{"rich-count.diff.folded", rich, Options{Value: "count", NoComm: true, Addrs: true}},
	{"rich-min.diff.folded", rich, Options{Filter: Filter{MinSize: 3 << 20}}},
	{"suppressed.json", func() *report.Report { return suppress(plainLeak(), "leak:^make_*r$\nleak:x") }, Options{}},
	{"selection.json", leaks, Options{Filter: Filter{Include: patterns("load_", "x"), Exclude: patterns("handle"), MinSize: 3 << 20}}},
	{"selection.folded", leaks, Options{Filter: Filter{Exclude: patterns("load_cache")}}},
	{"selection.diff.folded", rich, Options{Filter: Filter{Include: patterns("cache")}}},
	{"rich-wide.txt", rich, Options{Width: 132, FullNames: true}},
	{"rich-color.txt", rich, Options{Color: true}},
	{"rich-top.txt", rich, Options{Filter: Filter{Top: 1, MinSize: 64 << 10, Sort: "age"}}},
	{"rich-min.json", rich, Options{Filter: Filter{Top: 1, MinSize: 1 << 20}}},
	{"hidden.txt", plainLeak, Options{Filter: Filter{MinSize: 1 << 30}}},
	{"empty.txt", quiet, Options{}},
	{"empty.folded", quiet, Options{}},
	{"empty.json", quiet, Options{}},
	{"blind.txt", blind, Options{}},
	{"interrupted.txt", interrupted, Options{}},
	{"exited.txt", exited, Options{}},
	{"thrifty.txt", thrifty, Options{}},
	{"thrifty.json", thrifty, Options{}},
	{"several.txt", several, Options{}},
	{"several.folded", several, Options{}},
	{"several.json", several, Options{}},
	{"measured.txt", measured, Options{}},
	{"committed.json", committed, Options{}},
	{"committed.txt", committed, Options{}},
	{"measured.json", measured, Options{Filter: Filter{Sort: "resident"}}},
	{"files.json", filed, Options{}},
	{"measured.folded", measured, Options{Value: "resident"}},
}

func TestGolden(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.file, func(t *testing.T) {
			got := output(t, g.file, g.report(), g.opts)
			if again := output(t, g.file, g.report(), g.opts); again != got {
				t.Error("equal reports gave different bytes")
			}
			golden(t, g.file, got)
		})
	}
}

// golden compares got with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("output differs from %s (-want +got); see -update:\n%s", path, diff)
	}
}

func output(t *testing.T, file string, r *report.Report, o Options) string {
	t.Helper()
	f, err := ForPath(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, f, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A line of text fits its page unless it is one word.
func TestTextWidth(t *testing.T) {
	for _, g := range goldens {
		if filepath.Ext(g.file) == ".txt" && !g.opts.Color {
			checkWidth(t, g.file, g.report(), g.opts)
		}
	}
}

func checkWidth(t *testing.T, name string, r *report.Report, o Options) {
	t.Helper()
	for _, width := range []int{0, 64, 100} {
		o.Width = width
		limit := width
		if limit == 0 {
			limit = DefaultWidth
		}
		for i, l := range strings.Split(output(t, "x.txt", r, o), "\n") {
			word := strings.TrimPrefix(strings.TrimLeft(l, " "), mark)
			if columns(l) > limit && strings.Contains(word, " ") {
				t.Errorf("%s, width %d, line %d is %d wide: %s", name, width, i+1, columns(l), l)
			}
		}
	}
}

var errDisk = errors.New("disk full")

type badWriter struct{ left int }

func (w *badWriter) Write(p []byte) (int, error) {
	if w.left < len(p) {
		return 0, errDisk
	}
	w.left -= len(p)
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for _, name := range Formats() {
		for _, room := range []int{0, 4096} {
			r := rich()
			r.Paths[0].Frames[1].Function = noise(10000)
			if err := Write(&badWriter{room}, Format(name), r, Options{}); !errors.Is(err, errDisk) {
				t.Errorf("%s with room for %d bytes: error %v, want %v", name, room, err, errDisk)
			}
		}
	}
}

// noise returns n characters that do not compress to less than half.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + random.IntN(26))
	}
	return string(b)
}

func TestOptionErrors(t *testing.T) {
	var b bytes.Buffer
	for _, name := range Formats() {
		if err := Write(&b, Format(name), rich(), Options{Filter: Filter{Sort: "name"}}); !errors.Is(err, ErrOption) {
			t.Errorf("%s with an unknown order: error %v, want %v", name, err, ErrOption)
		}
	}
	if err := Folded(&b, rich(), FoldedOptions{Value: "pages"}); !errors.Is(err, ErrOption) {
		t.Errorf("folding by pages: error %v, want %v", err, ErrOption)
	}
	for _, o := range []FoldedOptions{{Value: "resident"}, {}} {
		r := rich()
		if o.Value == "" {
			r.HalfTime = 0
		}
		if err := FoldedDiff(&b, r, o); !errors.Is(err, ErrNoHalf) {
			t.Errorf("the halves of %d by %q: error %v, want %v", r.HalfTime, o.Value, err, ErrNoHalf)
		}
	}
	if err := Write(&b, "xml", rich(), Options{}); !errors.Is(err, ErrFormat) {
		t.Errorf("writing xml: error %v, want %v", err, ErrFormat)
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes were written in spite of the error", b.Len())
	}
}

func TestForPath(t *testing.T) {
	for path, want := range map[string]Format{
		"a.txt": FormatText, "/x/y.FOLDED": FormatFolded, "/x/y.diff.Folded": FormatDiff, ".diff.folded": FormatDiff, "b.c.json": FormatJSON,
		"c.pb.gz": FormatPprof, "c.gz": "", "json": "", "a.xml": "", "": "",
	} {
		got, err := ForPath(path)
		if got != want || (err == nil) != (want != "") || (err != nil && !errors.Is(err, ErrFormat)) {
			t.Errorf("ForPath(%q) = %q, %v; want %q", path, got, err, want)
		}
	}
	for _, name := range Formats() {
		if f, err := ForName(name); err != nil || string(f) != name {
			t.Errorf("ForName(%q) = %q, %v", name, f, err)
		}
	}
}
