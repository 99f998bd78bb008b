package export

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// pprofGoldens are the profiles whose whole text is kept in testdata/pprof.
var pprofGoldens = []struct {
	file   string
	report func() *report.Report
	opts   PprofOptions
}{
	{"plain", plainLeak, PprofOptions{}},
	{"rich", rich, PprofOptions{}},
	{"rich-min", rich, PprofOptions{Filter: Filter{MinSize: 1 << 20}, NoDuration: true}},
	{"several", several, PprofOptions{}},
	{"empty", quiet, PprofOptions{}},
	{"cost", func() *report.Report { r := quiet(); r.Cost = someCost(); return r }, PprofOptions{}},
	{"bare", func() *report.Report { return &report.Report{} }, PprofOptions{}},
}

func TestPprofGolden(t *testing.T) {
	local := time.Local
	time.Local = time.UTC // of the moments in a profile's text
	t.Cleanup(func() { time.Local = local })
	for _, g := range pprofGoldens {
		t.Run(g.file, func(t *testing.T) {
			out := encoded(t, g.report(), g.opts)
			if !bytes.Equal(out, encoded(t, g.report(), g.opts)) {
				t.Error("equal reports gave different bytes")
			}
			golden(t, filepath.Join("pprof", g.file+".txt"), parsed(t, out).String())
		})
	}
}

func encoded(t *testing.T, r *report.Report, o PprofOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pprof(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parsed reads a profile as pprof does, which also checks it.
func parsed(t *testing.T, b []byte) *profile.Profile {
	t.Helper()
	p, err := profile.ParseData(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Location {
		if len(l.Line) == 0 {
			t.Errorf("location %d has no function", l.ID)
		}
		if m := l.Mapping; m != nil && (l.Address < m.Start || l.Address >= m.Limit && m.Limit != math.MaxUint64) {
			t.Errorf("location %d at %#x is outside [%#x, %#x)", l.ID, l.Address, m.Start, m.Limit)
		}
	}
	return p
}

// sums adds up the values of all samples.
func sums(p *profile.Profile) [4]int64 {
	var out [4]int64
	for _, s := range p.Sample {
		for i, v := range s.Value {
			out[i] += v
		}
	}
	return out
}

// Nothing of what a report holds gets lost, whatever its mappings tell.
func TestPprofSums(t *testing.T) {
	inherited := plainLeak()
	inherited.Paths[0].MappedBytes, inherited.Paths[0].MappedCount = 0, 0
	bounded := plainLeak()
	bounded.Paths[0].Mappings = bounded.Paths[0].Mappings[:5]
	sizes := plainLeak()
	p := &sizes.Paths[0]
	p.Bytes, p.Mappings = 0, nil
	for i := range uint64(maxPortions + 1) {
		p.Mappings = append(p.Mappings, report.Mapping{End: i * kib, Live: i * kib})
		p.Bytes += i * kib
	}
	p.Count = maxPortions + 1
	p.MappedCount = p.Count
	for name, r := range map[string]*report.Report{
		"plain": plainLeak(), "rich": rich(), "several": several(), "inherited": inherited, "bounded": bounded, "sizes": sizes,
	} {
		want := [4]int64{int64(r.Unlisted.MappedCount), int64(r.Unlisted.MappedBytes)}
		for _, paths := range [][]report.Path{r.Paths, r.Released} {
			for _, p := range paths {
				for i, n := range []uint64{p.MappedCount, p.MappedBytes, p.Count, p.Bytes} {
					want[i] += int64(n)
				}
			}
		}
		if got := sums(parsed(t, encoded(t, r, PprofOptions{}))); got != want {
			t.Errorf("%s: the samples add up to %d, want %d", name, got, want)
		}
	}
}

// The functions of one address are the lines of one location, the innermost
// first; what lies elsewhere is not taken for inlined there.
func TestPprofInlined(t *testing.T) {
	f := func(name string, offset uint64, inlined bool) stack.Frame {
		return stack.Frame{Function: name, Module: "/x", Offset: offset, Inlined: inlined}
	}
	r := &report.Report{Paths: []report.Path{{Bytes: 1, Count: 1, Frames: []stack.Frame{
		f("a", 1, true), f("b", 1, true), f("c", 1, false), f("d", 1, false), f("e", 2, true), f("f", 3, true)}}}}
	var got [][]string
	for _, l := range parsed(t, encoded(t, r, PprofOptions{})).Sample[0].Location {
		var names []string
		for _, line := range l.Line {
			names = append(names, line.Function.Name)
		}
		got = append(got, names)
	}
	if diff := cmp.Diff([][]string{{"a", "b", "c"}, {"d"}, {"e"}, {"f"}}, got); diff != "" {
		t.Errorf("locations (-want +got):\n%s", diff)
	}
}

func TestDropFrames(t *testing.T) {
	re, err := regexp.Compile("^(" + dropFrames + ")$") // as pprof does
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"mmap": true, "__mmap": true, "__GI___mmap64": true, "mmap64@@GLIBC_2.2.5": true, "mremap": true,
		"syscall": true, "brk": true, "__sbrk": true, "shmat": true, "__syscall_cp": true,
		"runtime.mmap": true, "runtime.mmap.func1": true, "runtime.sysMmap": true, "syscall.mmap": true,
		"syscall.Mmap": true, "syscall.": true, "syscall.RawSyscall6": true, "golang.org/x/sys/unix.Mmap": true,
		"internal/runtime/syscall.Syscall6": true, "internal/runtime/syscall/linux.Syscall6": true,
		"main": false, "my_mmap": false, "mmap_file": false, "Buffer::mmap": false, "main.mmap": false,
		"runtime.sysAlloc": false, "syscall.Open": false, "malloc": false, "[libc.so.6+0x1234]": false, "": false,
	} {
		if got := re.MatchString(name); got != want {
			t.Errorf("%q is dropped: %t, want %t", name, got, want)
		}
	}
}

func TestSystemName(t *testing.T) {
	for _, tt := range []struct{ name, linkage, want string }{
		{"run()::{lambda()#1}::operator()() const", "_ZZ3runvENKUlvE_clEv", "_ZZ3runvENKUlvE_clEv"},
		{"run()::{lambda()#1}::operator()() const", "", ""},
		{"run(int)", "run(int)", ""},
		{"main", "", "main"},
		{"__libc_start_main@@GLIBC_2.34", "", "__libc_start_main@@GLIBC_2.34"},
		{"main.(*Server).run", "", ""},
		{"main.run", "", "main.run"},
		{"_Z3runv", "", ""},
		{"_GLOBAL__sub_I_x", "", ""},
		{"[libvendor.so.3+0x1234]", "", ""},
		{"_", "", "_"},
		{"", "", ""},
	} {
		if got := systemName(tt.name, tt.linkage); got != tt.want {
			t.Errorf("systemName(%q, %q) = %q, want %q", tt.name, tt.linkage, got, tt.want)
		}
	}
}

func FuzzPprof(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, a, b string, size, number uint64) {
		r := named(a, b, size, number)
		r.Released = []report.Path{{Comm: b, Call: a, MappedBytes: size, MappedCount: number, Frames: r.Paths[0].Frames}}
		r.Unlisted = report.Unlisted{Stacks: number, MappedBytes: size}
		r.Paths[0].Frames[1].Module, r.Paths[0].Frames[1].Offset = "/"+b, size
		p := parsed(t, encoded(t, r, PprofOptions{NoDuration: number%2 == 0}))
		for _, s := range p.Sample {
			for _, v := range s.Value {
				if v < 0 {
					t.Fatalf("a sample of %d", s.Value)
				}
			}
		}
		for _, fn := range p.Function {
			shown(t, []byte(fn.Name+fn.SystemName+fn.Filename))
			if fn.Name == "" {
				t.Fatal("a function without a name")
			}
		}
		for _, c := range p.Comments {
			shown(t, []byte(c))
		}
	})
}

// BenchmarkPprof writes a report on as many call paths as a process can have
// mappings, of 30 frames each.
func BenchmarkPprof(b *testing.B) {
	r := plainLeak()
	p := r.Paths[0]
	p.Mappings = p.Mappings[:1]
	p.Count, p.Bytes = 1, mib
	r.Paths = r.Paths[:0]
	for i := range 65530 {
		p.Frames = nil
		for j := range 30 {
			p.Frames = append(p.Frames, c("function"+strconv.Itoa((i*j)%5000), "x.c", (i*j)%20000))
		}
		r.Paths = append(r.Paths, p)
	}
	for b.Loop() {
		if err := Pprof(io.Discard, r, PprofOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
