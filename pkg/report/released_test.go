package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// traced applies a text trace.
func traced(t testing.TB, text string) *trace.Trace {
	t.Helper()
	tr := trace.New(4096)
	rd := event.NewReader(strings.NewReader(text), "test")
	for rd.Scan() {
		tr.Add(rd.Event())
	}
	if err := rd.Err(); err != nil {
		t.Fatal(err)
	}
	tr.Flush()
	return tr
}

// busy maps and unmaps 4096 bytes times i from stack i, for i from 1 to n.
func busy(t testing.TB, n int) *trace.Trace {
	var s strings.Builder
	s.WriteString("snapshot\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&s, "mmap 0x100000000+%#x stack=%d\nmunmap 0x100000000+%#x\n", i<<12, i, i<<12)
	}
	return traced(t, s.String())
}

// balance returns what r's paths account for beyond its totals; nothing is right.
func balance(r *report.Report) (bytes, count int64) {
	sum := report.Unlisted{}
	for _, p := range slices.Concat(r.Paths, r.Released) {
		sum.MappedBytes += p.MappedBytes
		sum.MappedCount += p.MappedCount
	}
	return int64(sum.MappedBytes + r.Unlisted.MappedBytes - r.Totals.MappedBytes),
		int64(sum.MappedCount + r.Unlisted.MappedCount - r.Totals.MappedCount)
}

// A path is listed once, by what is outstanding or as released, whatever
// process and stack did it.
func TestReleased(t *testing.T) {
	tr := traced(t, `
snapshot
mmap 0x10000+0x4000 stack=1
mmap 0x20000+0x1000 stack=2
mmap 0x30000+0x9000 stack=3
munmap 0x20000+0x1000
munmap 0x30000+0x9000
mmap 0x40000+0x2000 stack=4
munmap 0x40000+0x2000
mmap 0x50000+0x1000
munmap 0x50000+0x1000
`)
	same := []stack.Frame{{Function: "f", Module: "/x", Offset: 7}}
	r := report.Build(tr, stack.Table{1: same, 4: same, 2: {{Function: "g", Module: "/x", Offset: 8}}, 3: {{Function: "h", Module: "/x", Offset: 9}}}, report.Facts{})
	var got []string
	for i, p := range slices.Concat(r.Paths, r.Released) {
		name := "none"
		if len(p.Frames) > 0 {
			name = p.Frames[0].Function
		}
		got = append(got, fmt.Sprintf("%t %s %#x of %#x in %d", i < len(r.Paths), name, p.Bytes, p.MappedBytes, p.MappedCount))
	}
	want := []string{"true f 0x4000 of 0x6000 in 2", "false h 0x0 of 0x9000 in 1", "false g 0x0 of 0x1000 in 1", "false none 0x0 of 0x1000 in 1"}
	slices.Sort(want[2:])
	slices.Sort(got[2:])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if b, n := balance(r); b != 0 || n != 0 {
		t.Errorf("the paths account for %d bytes and %d mappings too many", b, n)
	}
	if diff := cmp.Diff([]stack.ID{1, 2, 3, 4}, report.Stacks(tr, &report.FilesFacts{})); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
}

// What is too much to be listed is summed up, and it is what mapped least.
func TestReleasedIsBounded(t *testing.T) {
	const more = 5
	tr := busy(t, report.MaxReleased+more)
	ids := report.Stacks(tr, &report.FilesFacts{})
	if len(ids) != report.MaxReleased || ids[0] != more+1 {
		t.Errorf("%d stacks from %d on", len(ids), ids[0])
	}
	frames := make(stack.Table)
	for _, id := range ids {
		frames[id] = []stack.Frame{{Module: "/x", Offset: uint64(id)}}
	}
	r := report.Build(tr, frames, report.Facts{})
	var rest uint64
	for i := uint64(1); i <= more; i++ {
		rest += i << 12
	}
	want := report.Unlisted{Stacks: more, MappedBytes: rest, UnmappedBytes: rest, MappedCount: more}
	if diff := cmp.Diff(want, r.Unlisted); diff != "" || len(r.Released) != report.MaxReleased {
		t.Errorf("%d listed; unlisted (-want +got):\n%s", len(r.Released), diff)
	}
	if b, n := balance(r); b != 0 || n != 0 {
		t.Errorf("the paths account for %d bytes and %d mappings too many", b, n)
	}
}

// BenchmarkBuild makes the report on as many released stacks as are captured at
// most, of 30 frames each.
func BenchmarkBuild(b *testing.B) {
	tr := busy(b, 65536)
	frames := make(stack.Table)
	for _, id := range report.Stacks(tr, &report.FilesFacts{}) {
		for i := range uint64(30) {
			frames[id] = append(frames[id], stack.Frame{Function: "main.f", Module: "/usr/bin/x", BuildID: "5d3c0ffe", Offset: uint64(id) + i})
		}
	}
	for b.Loop() {
		report.Build(tr, frames, report.Facts{})
	}
}
