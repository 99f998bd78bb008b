package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

func TestFileRanges(t *testing.T) {
	for _, want := range [][]interval.Range{{}, {{Start: 4096, End: 8192}}, {{Start: 0, End: 4096}, {Start: 1 << 40, End: 1<<40 + 8192}, {Start: 1 << 47, End: 1<<47 + 4096}}} {
		var f FileFacts
		given := append([]interval.Range{}, want...)
		for i, k := 0, len(given)-1; i < k; i, k = i+1, k-1 {
			given[i], given[k] = given[k], given[i]
		}
		f.SetRanges(given, 4096)
		if diff := cmp.Diff(want, f.Ranges(4096)); diff != "" || len(f.Pages) != 2*len(want) {
			t.Errorf("%v, -want +got:\n%s", f.Pages, diff)
		}
	}
	if got := (&FileFacts{Pages: []uint64{1, 2, ^uint64(0)}}).Ranges(4096); len(got) != 1 {
		t.Errorf("of a damaged recording: %v", got)
	}
}

// shared is a trace of a process that maps a file twice, cuts one of the mappings,
// and makes a segment.
func shared() *trace.Trace {
	tr := trace.New(4096)
	call := func(k event.Kind, seq uint64, ret int64, s stack.ID, args ...uint64) {
		ev := &event.Event{Kind: k, Space: 1, Seq: seq, PID: 7, Time: event.Time(seq), Ret: ret, Stack: s, Marks: event.File}
		copy(ev.Args[:], args)
		if k == event.ShmGet {
			ev.After, ev.Seq, ev.Marks = seq, 0, 0
		}
		tr.Add(ev)
	}
	tr.Add(&event.Event{Kind: event.Process, Space: 1, PID: 7, Name: "seven"})
	tr.Add(&event.Event{Kind: event.Snapshot, Space: 1})
	call(event.Mmap, 1, 0x10000, 21, 0, 0x4000, 3, event.MapShared, 3, 0)
	call(event.Mmap, 2, 0x20000, 22, 0, 0x3000, 3, event.MapShared, 3, 0)
	call(event.Munmap, 3, 0, 23, 0x11000, 0x1000)
	call(event.ShmGet, 3, 5, 24, 0, 4096, 0o1600)
	tr.Flush()
	return tr
}

func TestFilesOfAReport(t *testing.T) {
	tr := shared()
	pieces := FilePieces(tr)
	wantPieces := []Piece{{1, interval.Of(0x10000, 0x1000)}, {1, interval.Of(0x12000, 0x2000)}, {1, interval.Of(0x20000, 0x3000)}}
	if diff := cmp.Diff(wantPieces, pieces); diff != "" {
		t.Fatalf("pieces (-want +got):\n%s", diff)
	}
	mapped := FileFacts{Kind: PlainFile, Path: "/a", Inode: 9, Deleted: true, Known: true, Size: 1, Allocated: 4096, Descriptors: 2, FDs: []uint32{3, 4}}
	var ranges []interval.Range
	for _, p := range pieces {
		ranges = append(ranges, p.Range)
	}
	mapped.SetRanges(append(ranges, interval.Of(0x90000, 0x1000)), 4096) // the last was unmapped meanwhile
	facts := Facts{Host: Host{PageSize: 4096}, Files: FilesFacts{
		Spaces: []SpaceFiles{
			{Space: 1, PID: 7, Beyond: true, More: 3, Files: []FileFacts{{Kind: MemFile, Path: "m", Deleted: true, Known: true, Allocated: 1 << 20}, mapped,
				{Kind: SysVFile, Path: "SYSV0", Inode: 5, Deleted: true, Removed: true}}},
			{Space: 99, PID: 8, Denied: true, Files: []FileFacts{{Kind: PlainFile, Path: "/b", Pages: []uint64{1, 1}}}},
		},
		Left: []LeftFacts{
			{Kind: shm.Posix, Path: "/dev/shm/x", Inode: 3, Size: 8192, Allocated: 4096},
			{Kind: shm.SysV, Segment: shm.Segment{ID: 5, Size: 4000, Resident: 4096, Swapped: 8192, Creator: 7}},
			{Kind: shm.SysV, Segment: shm.Segment{ID: 6, Creator: 8}},
		},
		LeftUnseen: []event.PID{7}, LeftUnknown: 2,
	}}
	named := func(s string) []stack.Frame { return []stack.Frame{{Function: s}} }
	r := Build(tr, stack.Table{21: named("first"), 22: named("second"), 24: named("share")}, facts)
	wantFiles := []File{
		{PID: 7, Comm: "seven", Kind: MemFile, Path: "m", Deleted: true, Known: true, Allocated: 1 << 20, Unread: true},
		{PID: 7, Comm: "seven", Kind: PlainFile, Path: "/a", Deleted: true, Known: true, Size: 1, Allocated: 4096, Descriptors: 2, FDs: []uint32{3, 4},
			Unread: true, Bytes: 0x6000, Count: 2, Owner: "file mapping", Frames: named("first")},
		{PID: 8, Kind: PlainFile, Path: "/b", Unread: true},
		{PID: 7, Comm: "seven", Kind: SysVFile, Path: "SYSV0", ID: 5, Removed: true, Unread: true},
	}
	if diff := cmp.Diff(wantFiles, r.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantLeft := []Left{
		{Kind: shm.SysV, ID: 5, Bytes: 12288, Size: 4000, PID: 7, Comm: "seven", Frames: named("share")},
		{Kind: shm.Posix, Path: "/dev/shm/x", Inode: 3, Bytes: 4096, Size: 8192},
		{Kind: shm.SysV, ID: 6, PID: 8},
	}
	if diff := cmp.Diff(wantLeft, r.Left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	wantCaveats := []string{
		"Process 7 has too many descriptors to look at all of them: more files may be open than are told.",
		"3 more files of process 7 are not told.",
		"The descriptors of process 8 may not be looked at: which of its files are still open is not known.",
		`Whether anybody uses what is new in /dev/shm (objects: 2) is not known: there was no time to look at all processes. "mmtrace shm" does.`,
		"Process 7 has an IPC namespace or a /dev/shm of its own (a container?): whether it left shared memory behind was not looked at.",
	}
	if diff := cmp.Diff(wantCaveats, r.Caveats); diff != "" {
		t.Errorf("caveats (-want +got):\n%s", diff)
	}
	if got := Stacks(tr, &facts.Files); !cmp.Equal(got, []stack.ID{21, 22, 23, 24}) {
		t.Errorf("stacks to name: %v", got)
	}
}
