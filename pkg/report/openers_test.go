package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// Who opened a file is told of mappings whose descriptor was opened as that file, by
// either number of its device, and of descriptors; equal paths are one.
func TestOpenersOfAReport(t *testing.T) {
	const dev, alt, inode = 8<<32 | 1, 44, 17
	tr := trace.New(4096)
	seq := uint64(0)
	open := func(s stack.ID, dev, inode uint64) {
		tr.Add(&event.Event{Kind: event.Open, Space: 1, PID: 7, After: seq, Ret: 3, Stack: s, Args: [6]uint64{dev, inode, ^uint64(0)}})
	}
	var ranges []interval.Range
	mapped := func(fd uint64) {
		seq++
		at := interval.Of(seq<<16, 4096)
		ranges = append(ranges, at)
		tr.Add(&event.Event{Kind: event.Mmap, Space: 1, PID: 7, Seq: seq, Ret: int64(at.Start), Stack: 21, Marks: event.File,
			Args: [6]uint64{0, 4096, 3, event.MapShared, fd}})
	}
	tr.Add(&event.Event{Kind: event.Process, Space: 1, PID: 7, Name: "seven"})
	tr.Add(&event.Event{Kind: event.Snapshot, Space: 1})
	open(31, dev, inode)
	mapped(3)
	open(32, alt, inode) // the same path
	mapped(3)
	open(33, dev, inode+1) // another file
	mapped(3)
	open(34, 45, inode) // likewise
	mapped(3)
	open(35, dev, inode)
	mapped(3)
	mapped(4)
	tr.Flush()
	f := FileFacts{Kind: PlainFile, Path: "/a", Dev: dev, AltDev: alt, Inode: inode, Descriptors: 9,
		Openers: []OpenerFacts{{31, 2}, {32, 1}, {36, 3}}}
	f.SetRanges(ranges, 4096)
	named := func(s string) []stack.Frame { return []stack.Frame{{Function: s, Module: s, Inlined: true}} }
	frames := stack.Table{31: named("first"), 32: named("first"), 35: named("second"), 36: named("third")}
	facts := Facts{Host: Host{PageSize: 4096}, Files: FilesFacts{Spaces: []SpaceFiles{{Space: 1, PID: 7, Files: []FileFacts{f}}}}}
	r := Build(tr, frames, facts)
	want := []Opener{{3, 2, named("first")}, {3, 0, named("third")}, {0, 1, named("second")}}
	if diff := cmp.Diff(want, r.Files[0].Openers); diff != "" {
		t.Errorf("openers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]stack.ID{21, 31, 32, 33, 34, 35, 36}, Stacks(tr, &facts.Files)); diff != "" {
		t.Errorf("stacks to name (-want +got):\n%s", diff)
	}
}

// What process_madvise gave back without saying where is a caveat.
func TestUntoldAdvice(t *testing.T) {
	tr := trace.New(4096)
	tr.Add(&event.Event{Kind: event.Process, Space: 1, PID: 7, Name: "seven"})
	tr.Add(&event.Event{Kind: event.Snapshot, Space: 1})
	tr.Add(&event.Event{Kind: event.Madvise, Space: 1, PID: 7, Args: [6]uint64{4096, 4096, 4}, Aux: 5 << 20})
	tr.Flush()
	want := []string{"process_madvise gave back 5.0 MiB more than is told: of each of its calls the first 32 ranges are looked at."}
	if diff := cmp.Diff(want, Build(tr, nil, Facts{}).Caveats); diff != "" {
		t.Errorf("caveats (-want +got):\n%s", diff)
	}
}
