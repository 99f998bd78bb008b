package export

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// named is a report in which every string of the traced process is a or b.
func named(a, b string, bytes, number uint64) *report.Report {
	frames := []stack.Frame{
		{Function: a, Module: b, File: a, Line: int(number % 99999)},
		{Module: a, Offset: number}, {Module: "[" + b + "]", Offset: number}, {Function: b, Linkage: a, Inlined: true},
	}
	m := report.Mapping{PID: event.PID(number), Start: number, End: number + bytes, Live: bytes,
		Age: event.Time(number), File: a}
	return &report.Report{
		Tool: report.Tool{Name: a, Version: b}, Host: report.Host{Name: a, Kernel: b, Arch: a},
		Targets: []report.Target{{PID: 1, Comm: a, Exe: b, Cmdline: []string{a, b}, Ended: b, Mappings: number}},
		Window:  report.Window{StartUnix: int64(number >> 1), Duration: event.Time(number), StoppedBy: b, When: a},
		Totals: report.Totals{Calls: number, ByKind: map[string]uint64{a: number, b: 1}, OutstandingBytes: bytes,
			OutstandingCount: number, HeapGrowth: int64(bytes), MappedBytes: number},
		Quality: report.Quality{Lost: number, Events: bytes, Verified: number%2 == 0, LiveBytes: bytes,
			VerifiedBytes: number, ExtraBytes: number, ExactSince: event.Time(number), OrderMode: b},
		Paths: []report.Path{
			{ID: a, Comm: a, Call: b, Bytes: bytes, Count: number, Rate: float64(bytes), File: bytes, Shared: bytes,
				Oldest: event.Time(number), Frames: frames, Mappings: []report.Mapping{m}, Half: report.Amount{Bytes: number, Count: bytes}},
			{Comm: b, Bytes: bytes / 2, Count: 1, Frames: frames[:1]},
		},
		Remnants: []report.Remnant{{Comm: a, Where: b, Left: bytes, Example: m, MappedAt: frames, UnmapEnd: bytes}},
		Failures: []report.Failure{{Comm: b, Call: a, Errno: b, Example: a, Why: b, Count: number, Frames: frames}},
		HalfTime: event.Time(number), Tail: event.Time(bytes), TailSet: bytes%2 == 0,
		Suppressed: []report.Suppressed{{Suppression: report.Suppression{Text: a, File: b, Line: 7}, Paths: number, Bytes: bytes, Mappings: 1}},
		Released:   []report.Path{{Comm: a, Call: b, Frames: frames[1:], Half: report.Amount{Bytes: number / 2, Count: 1}}},
		Caveats:    []string{a, b},
		Trend:      namedTrend(a, bytes, number),
		Files: []report.File{
			{PID: 1, Comm: a, Kind: report.PlainFile, Path: b, Deleted: true, Known: number%2 == 0, Allocated: bytes, Descriptors: number,
				FDs: []uint32{uint32(number)}, Bytes: bytes, Count: number, Owner: a, Frames: frames,
				Openers: []report.Opener{{Descriptors: number, Mappings: bytes, Frames: frames}, {Descriptors: 1, Frames: frames[1:]}, {Mappings: 1}}},
			{Kind: report.MemFile, Path: a, Deleted: true, Other: number},
		},
		Left: []report.Left{{Kind: shm.Posix, Path: a, Inode: number, Bytes: bytes},
			{Kind: shm.SysV, ID: int32(number), Comm: b, Bytes: bytes, Frames: frames}},
	}
}

// namedTrend is that of a process of two samples, in which everything is one of
// two numbers.
func namedTrend(comm string, bytes, number uint64) report.Trend {
	l := report.Line{First: bytes, Last: number, Max: max(bytes, number), PerSecond: float64(number) - float64(bytes)}
	g := report.Growth{Change: int64(bytes), Paths: int64(number), Heap: -int64(bytes), Old: -int64(number), Unknown: number}
	t := report.Trend{System: make(report.Lines)}
	for _, m := range report.SystemMetrics() {
		t.System[m] = l
	}
	p := report.ProcessTrend{PID: 1, Comm: comm, Lines: make(report.Lines), Samples: &report.Series{Times: []event.Time{1, 2}},
		Size: g, Resident: g, Mappings: report.MappingsForecast{Now: number, Limit: bytes, Due: true, In: event.Time(number)}}
	for _, m := range report.ProcessMetrics() {
		p.Lines[m] = l
	}
	t.Processes = []report.ProcessTrend{p}
	return t
}

func seed(f *testing.F) {
	for _, s := range []string{
		"main", "", " ", "a;b", "read block 12", "x 1.5", "7", "\x1b]0;owned\x07", "\xff\xfe", "a\nb\r\tc",
		"caf\u00e9 \u202e\u00a0\u2028\x7f\u009b", "std::vector<int, std::allocator<int> >", "[anon:x y]", "a  9",
	} {
		f.Add(s, "libx.so.3", uint64(24<<20), uint64(12))
		f.Add("mmap", s, uint64(1), ^uint64(0))
	}
}

// shown fails if out holds anything but printable characters, blanks and line
// feeds.
func shown(t *testing.T, out []byte) {
	t.Helper()
	if !utf8.Valid(out) {
		t.Fatalf("not UTF-8: %q", out)
	}
	for _, r := range string(out) {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("raw %U in %q", r, out)
		}
	}
}

func FuzzText(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, a, b string, size, number uint64) {
		var out bytes.Buffer
		for _, o := range []TextOptions{{}, {Width: 1, FullNames: true}} {
			if err := Text(&out, named(a, b, size, number), o); err != nil {
				t.Fatal(err)
			}
		}
		shown(t, out.Bytes())
	})
}

func FuzzJSON(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, a, b string, size, number uint64) {
		var out bytes.Buffer
		if err := JSON(&out, named(a, b, size, number), JSONOptions{}); err != nil {
			t.Fatal(err)
		}
		shown(t, out.Bytes())
		if !json.Valid(out.Bytes()) {
			t.Fatalf("not JSON: %s", out.Bytes())
		}
	})
}

var (
	speedscopeLine = regexp.MustCompile(`^(.*) (\d+)$`)
	flamegraphLine = regexp.MustCompile(`^(.*)\s+?(\d+(?:\.\d*)?)$`)
)

func FuzzFolded(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, a, b string, size, number uint64) {
		size >>= 8 // sums of equal stacks must not overflow
		for _, o := range []FoldedOptions{{}, {NoComm: true, Addrs: true}, {Value: "count"}} {
			r := named(a, b, size, number>>8)
			var out bytes.Buffer
			if err := Folded(&out, r, o); err != nil {
				t.Fatal(err)
			}
			shown(t, out.Bytes())
			var want, got uint64
			for i := range r.Paths {
				if n := r.Paths[i].Bytes; o.Value == "" {
					want += n
				} else {
					want += r.Paths[i].Count
				}
			}
			last := ""
			for l := range strings.Lines(out.String()) {
				got += checkFolded(t, strings.TrimSuffix(l, "\n"), last)
				last = l[:strings.LastIndexByte(l, ' ')]
			}
			if got != want {
				t.Fatalf("the lines add up to %d, want %d:\n%s", got, want, out.String())
			}
		}
	})
}

// FuzzFoldedDiff requires two numbers at the end of every line, which add up to what
// the report has, and a stack that no reader takes for another number.
func FuzzFoldedDiff(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, a, b string, size, number uint64) {
		r := named(a, b, size>>8, number>>8|1)
		var out bytes.Buffer
		if err := FoldedDiff(&out, r, FoldedOptions{}); err != nil {
			t.Fatal(err)
		}
		shown(t, out.Bytes())
		var sum, want [2]uint64
		for _, list := range [][]report.Path{r.Paths, r.Released} {
			for i := range list {
				want[0], want[1] = want[0]+list[i].Half.Bytes, want[1]+list[i].Bytes
			}
		}
		last := ""
		for line := range strings.Lines(out.String()) {
			stack, before, after := diffLine(t, strings.TrimSuffix(line, "\n"))
			if sum[0], sum[1] = sum[0]+before, sum[1]+after; before+after == 0 || stack <= last {
				t.Fatalf("%q after %q", line, last)
			}
			last = stack
		}
		if sum != want {
			t.Fatalf("the lines add up to %d, want %d:\n%s", sum, want, out.String())
		}
	})
}

// diffLine takes a line apart as flamegraph.pl does what difffolded.pl writes: a
// number from its end, then another one.
func diffLine(t *testing.T, line string) (stack string, before, after uint64) {
	t.Helper()
	second := flamegraphLine.FindStringSubmatch(line)
	if second == nil {
		t.Fatalf("no number at the end of %q", line)
	}
	first := flamegraphLine.FindStringSubmatch(second[1])
	if first == nil || flamegraphLine.MatchString(first[1]) {
		t.Fatalf("not two numbers at the end of %q", line)
	}
	n, err1 := strconv.ParseUint(first[2], 10, 64)
	m, err2 := strconv.ParseUint(second[2], 10, 64)
	if err1 != nil || err2 != nil {
		t.Fatalf("%q: %v, %v", line, err1, err2)
	}
	return first[1], n, m
}

// checkFolded requires both readers to see the same in line, and its stack to
// follow after last. It returns the line's number.
func checkFolded(t *testing.T, line, last string) uint64 {
	t.Helper()
	s, g := speedscopeLine.FindStringSubmatch(line), flamegraphLine.FindStringSubmatch(line)
	if s == nil || g == nil || s[1] != g[1] || s[2] != g[2] {
		t.Fatalf("readers disagree on %q: %q, %q", line, s, g)
	}
	if flamegraphLine.MatchString(s[1]) {
		t.Fatalf("the stack of %q ends like a second number", line)
	}
	if last != "" && s[1] <= last {
		t.Fatalf("%q comes after %q", s[1], last)
	}
	for _, frame := range strings.Split(s[1], ";") {
		if strings.Trim(frame, " ") == "" {
			t.Fatalf("empty frame in %q", line)
		}
	}
	n, err := strconv.ParseUint(s[2], 10, 64)
	if err != nil || n == 0 {
		t.Fatalf("number of %q: %d, %v", line, n, err)
	}
	return n
}
