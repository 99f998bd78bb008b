package export

import (
	"math"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{size(0), "0 B"},
		{size(1023), "1023 B"},
		{size(1024), "1.0 KiB"},
		{size(1<<20 - 1), "1.0 MiB"},
		{size(24 << 20), "24.0 MiB"},
		{size(math.MaxUint64), "16.0 EiB"},
		{signedSize(132 << 10), "+132.0 KiB"},
		{signedSize(-4096), "-4.0 KiB"},
		{signedSize(math.MinInt64), "-8.0 EiB"},
		{rate(0), "0 B/s"},
		{rate(-2048), "-2.0 KiB/s"},
		{rate(math.NaN()), "unknown rate"},
		{rate(math.Inf(1)), "unknown rate"},
		{span(-1), "0 s"},
		{span(1), "under 1 ms"},
		{span(850 * ms), "850 ms"},
		{span(999*ms + 600_000), "1.0 s"},
		{span(1200 * ms), "1.2 s"},
		{span(59*sec + 960*ms), "1 min 0 s"},
		{span(200 * sec), "3 min 20 s"},
		{span(2*3600*sec + 5*60*sec), "2 h 5 min"},
		{span(76 * 3600 * sec), "3 d 4 h"},
		{span(event.Time(math.MaxInt64)), "106751 d 23 h"},
		{ordinal(1), "1st"},
		{ordinal(2), "2nd"},
		{ordinal(3), "3rd"},
		{ordinal(4), "4th"},
		{ordinal(11), "11th"},
		{ordinal(12), "12th"},
		{ordinal(23), "23rd"},
		{ordinal(113), "113th"},
		{ordinal(1021), "1,021st"},
		{number(0), "0"},
		{number(999), "999"},
		{number(1204), "1,204"},
		{number(math.MaxUint64), "18,446,744,073,709,551,615"},
		{share(0, 0), "100 %"},
		{share(0, 5), "0.0 %"},
		{share(1, 100_000), "under 0.1 %"},
		{share(99_999, 100_000), "99.9 %"},
		{share(math.MaxUint64-1, math.MaxUint64), "99.9 %"},
		{count(1, "call"), "1 call"},
		{times(2), "twice"},
	} {
		if got := strings.ReplaceAll(c.got, nbsp, " "); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"caf\u00e9 \\n":          "caf\u00e9 \\n",
		"\x1b[31m\n\r\t\x7f":     `\x1b[31m\n\r\t\x7f`,
		"a\xffb\u00a0\u202e":     `a\xffb\u00a0\u202e`,
		"\U000e0001\ufffd\u200b": `\U000e0001` + "\ufffd" + `\u200b`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBlame(t *testing.T) {
	names := func(s ...string) (fs []stack.Frame) {
		for _, n := range s {
			f := stack.Frame{Function: n, Module: "/srv/app"}
			if i := strings.IndexByte(n, '|'); i >= 0 {
				f.Function, f.Module = n[:i], n[i+1:]
			}
			fs = append(fs, f)
		}
		return fs
	}
	for _, c := range []struct {
		about  string
		frames []stack.Frame
		want   int
	}{
		{"no frames", nil, 0},
		{"libc's mmap", names("__mmap|/lib/libc.so.6", "make", "main"), 1},
		{"a static mmap", names("__GI___mmap64", "make", "main"), 1},
		{"a versioned mmap", names("mmap@@GLIBC_2.2.5", "make"), 1},
		{"an unnamed stub of libc", names("|/lib/libc.so.6", "make"), 1},
		{"malloc", names("mmap|/lib/libc.so.6", "sysmalloc|/lib/libc.so.6", "operator new(unsigned long)|/lib/libstdc++.so.6", "make"), 3},
		{"a raw system call", names("make", "main"), 0},
		{"musl", names("mmap|/lib/ld-musl-x86_64.so.1", "make"), 1},
		{"Go", names("syscall.mmap", "syscall.(*mmapper).Mmap", "golang.org/x/sys/unix.Mmap", "main.grow", "main.main", "runtime.main"), 3},
		{"Go's heap", names("runtime.mmap", "runtime.sysReserve", "runtime.main"), 1},
		{"a Go function called like the call", names("syscall.RawSyscall6", "main.mmap", "main.grow"), 2},
		{"only libc", names("mmap|/lib/libc.so.6", "arena_new|/lib/libc.so.6", "start_thread|/lib/libc.so.6"), 1},
		{"only a stub", names("mmap|/lib/libc.so.6", "_start"), 2},
	} {
		if got := blame(c.frames); got != c.want {
			t.Errorf("%s: frame %d, want %d", c.about, got, c.want)
		}
	}
}

func TestSelect(t *testing.T) {
	r := &report.Report{Paths: []report.Path{
		{ID: "a", Bytes: 10, Count: 1, Rate: 3, Oldest: 5},
		{ID: "b", Bytes: 30, Count: 2, Rate: 1, Oldest: 9},
		{ID: "d", Bytes: 20, Count: 2, Rate: 2, Oldest: 1},
		{ID: "c", Bytes: 20, Count: 9, Rate: 2, Oldest: 7},
	}}
	for _, c := range []struct {
		f    Filter
		want string
		left LeftOut
	}{
		{Filter{}, "bcda", LeftOut{}},
		{Filter{Sort: "count"}, "cbda", LeftOut{}},
		{Filter{Sort: "rate"}, "acdb", LeftOut{}},
		{Filter{Sort: "age"}, "bcad", LeftOut{}},
		{Filter{Top: 1}, "b", LeftOut{Beyond: Sum{3, 50}}},
		{Filter{Top: -1, MinSize: 20}, "bcd", LeftOut{Filtered: Sum{1, 10}}},
		{Filter{MaxSize: 20, Older: 5}, "ca", LeftOut{Filtered: Sum{2, 50}}},
	} {
		sel, left, err := Select(r, c.f)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, p := range sel.Paths {
			got += p.ID
		}
		if got != c.want || left != c.left {
			t.Errorf("%+v: %s and %+v, want %s and %+v", c.f, got, left, c.want, c.left)
		}
	}
	if r.Paths[0].ID != "a" || r.Paths[3].ID != "c" {
		t.Error("Select changed the report it was given")
	}
}
