package report_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// halfLines is a trace of so many seconds in which calls of 6 stacks map, unmap,
// cut and grow at random, each in the middle of a tenth of a second.
func halfLines(r *rand.Rand, seconds int) []string {
	lines := []string{"process pid=7 comm=x t=1ms", "snapshot t=1ms"}
	for i := range seconds * 10 {
		t := 100*i + 50
		place := 0x100000 * (1 + r.IntN(12))
		switch r.IntN(4) {
		case 0:
			lines = append(lines, fmt.Sprintf("munmap %#x+%#x t=%dms", place, 0x1000*(1+r.IntN(16)), t))
		case 1:
			lines = append(lines, fmt.Sprintf("munmap %#x+%#x t=%dms", place+0x2000, 0x1000, t))
		default:
			lines = append(lines, fmt.Sprintf("mmap %#x+%#x stack=%d t=%dms", place, 0x1000*(1+r.IntN(16)), 1+r.IntN(6), t))
		}
	}
	return lines
}

// amounts returns what of each path is outstanding at the end, or half-way.
func amounts(r *report.Report, half bool) map[string]report.Amount {
	out := make(map[string]report.Amount)
	for _, p := range slices.Concat(r.Paths, r.Released) {
		a := report.Amount{Bytes: p.Bytes, Count: p.Count}
		if half {
			a = p.Half
		}
		if a.Bytes > 0 {
			out[p.ID] = a
		}
	}
	return out
}

// What is told of the middle of a window is what a report on its first half tells
// of its end.
func TestHalfIsTheEndOfTheFirstHalf(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		seconds := 2 * (1 + r.IntN(25))
		lines := halfLines(r, seconds)
		middle := len(lines)/2 + 1
		end := event.Time(seconds) * sec
		whole := report.Build(traced(t, strings.Join(lines, "\n")), nil, report.Facts{End: end})
		first := report.Build(traced(t, strings.Join(lines[:middle], "\n")), nil, report.Facts{End: end / 2})
		if diff := cmp.Diff(amounts(first, false), amounts(whole, true)); diff != "" {
			t.Fatalf("seed %d, %d s: half-way (-first half +window):\n%s", seed, seconds, diff)
		}
		total := report.Amount{Bytes: first.Totals.OutstandingBytes, Count: first.Totals.OutstandingCount}
		if whole.HalfTime != end/2 || whole.Totals.Half != total {
			t.Fatalf("seed %d: at %d all of %v, want %v", seed, whole.HalfTime, whole.Totals.Half, total)
		}
	}
}

// Of a window of an hour no more than 512 moments are known, one of which is near
// its middle.
func TestHalfOfALongWindow(t *testing.T) {
	var s strings.Builder
	s.WriteString("snapshot t=1ms\n")
	for i := range 36000 {
		fmt.Fprintf(&s, "mmap %#x+0x1000 stack=1 t=%dms\n", 0x100000+i*0x2000, i*100+50)
	}
	r := report.Build(traced(t, s.String()), nil, report.Facts{End: 3600 * sec})
	const n = 36000
	if h := r.Paths[0].Half; h.Count < n/2-n/512 || h.Count > n/2+n/512 || h.Bytes != h.Count*4096 {
		t.Errorf("half-way %+v of %d", h, n)
	}
}

// What a child held that has ended counts half-way if it lived then.
func TestHalfOfAChildThatEnded(t *testing.T) {
	for end, want := range map[string]uint64{"4s": 0, "6s": 0x3000} {
		r := report.Build(traced(t, fmt.Sprintf(`
process pid=7 comm=x space=1 t=1ms
snapshot space=1 t=1ms
fork pid=8 ppid=7 comm=x parent=1@0 space=2 t=1s
mmap 0x10000+0x3000 stack=1 space=2 pid=8 t=2s
exit pid=8 space=2 t=%s
end space=2 t=%s
mmap 0x90000+0x1000 stack=2 space=1 pid=7 t=9s
`, end, end)), nil, report.Facts{End: 10 * sec})
		if h := r.Totals.Half.Bytes; h != want {
			t.Errorf("end after %s: %#x half-way, want %#x", end, h, want)
		}
	}
}

// The heap of a child that has ended did not grow; that of one that lives did.
func TestHeapOfAChildThatEnded(t *testing.T) {
	for end, want := range map[string]int64{"exit pid=8 space=2 t=4s\nend space=2 t=4s\n": 0x1000, "": 0x3000} {
		r := report.Build(traced(t, `
process pid=7 comm=x space=1 t=1ms
snapshot space=1 t=1ms
fork pid=8 ppid=7 comm=x parent=1@0 space=2 t=1s
brk 0x10000 -> 0x12000 stack=1 space=2 pid=8 t=2s
brk 0x20000 -> 0x21000 stack=1 space=1 pid=7 t=3s
`+end), nil, report.Facts{End: 10 * sec})
		if n := r.Totals.HeapGrowth; n != want {
			t.Errorf("after %q: %#x, want %#x", end, n, want)
		}
	}
}

// A window without a length has no middle.
func TestNoHalf(t *testing.T) {
	r := report.Build(traced(t, "snapshot\nmmap 0x1000+0x1000 stack=1\n"), nil, report.Facts{})
	if r.HalfTime != 0 {
		t.Errorf("half-time %d", r.HalfTime)
	}
}
