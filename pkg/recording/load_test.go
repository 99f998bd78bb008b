package recording

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

func TestLoadRecording(t *testing.T) {
	tr, frames, facts, err := Load(bytes.NewReader(record(t, testEvents)))
	if err != nil {
		t.Fatal(err)
	}
	r := report.Build(tr, frames, facts)
	if len(r.Paths) != 1 || r.Paths[0].Bytes != 0x1000 || r.Paths[0].Frames[0].Function != "leak()" {
		t.Errorf("paths %+v", r.Paths)
	}
	if diff := cmp.Diff(testFacts, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// In a recording whose changes are in the order of calls, threads may have raced.
func TestLoadRaces(t *testing.T) {
	for mode, want := range map[string]report.Amount{"lock": {}, "calls": {Bytes: 0x2000, Count: 1}} {
		var b bytes.Buffer
		w := NewWriter(&b, Header{Host: testHeader.Host, OrderMode: mode})
		for i := range uint64(2) {
			ev := event.Event{Kind: event.Mmap, Space: 1, PID: 42, TID: event.TID(43 + i), Seq: 1 + i, Time: event.Time(5 + i),
				Args: [6]uint64{0x1000, 0x2000, 3, event.MapPrivate | event.MapAnonymous | event.MapFixed}, Ret: 0x1000, Stack: stack.ID(1 + i)}
			if err := w.Event(&ev); err != nil {
				t.Fatal(err)
			}
		}
		facts := testFacts
		facts.Kernel.OrderMode = mode
		if err := w.Finish(facts, nil); err != nil {
			t.Fatal(err)
		}
		tr, frames, facts, err := Load(&b)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Build(tr, frames, facts).Quality.Raced; got != want {
			t.Errorf("order %s: raced for %+v, want %+v", mode, got, want)
		}
	}
}

// What a killed recorder left is good for a report, beside the error.
func TestLoadTruncated(t *testing.T) {
	b := record(t, testEvents)
	tr, frames, facts, err := Load(bytes.NewReader(b[:len(b)-chunkHead-16-chunkTail]))
	if !errors.Is(err, ErrTruncated) {
		t.Fatalf("error %v", err)
	}
	r := report.Build(tr, frames, facts)
	if len(r.Paths) != 1 || r.Paths[0].Frames[0].Function != "leak()" || r.Window.StoppedBy != "exit" {
		t.Errorf("report %+v", r)
	}
}

// Without the frames, which come last, stacks tell in which file they lie: by the
// newest map, by an older one for what is no longer there, by the parent's.
func TestLoadWithoutFrames(t *testing.T) {
	code := func(start uint64, path string, offset uint64) event.Region {
		return event.Region{Range: interval.Of(start, 0x1000), Prot: event.ProtRead | event.ProtExec, Path: path, Offset: offset, Inode: 1}
	}
	var b bytes.Buffer
	w := NewWriter(&b, testHeader)
	for _, ev := range []event.Event{
		{Kind: event.Process, Space: 1, PID: 42, Time: 5},
		{Kind: event.Snapshot, Space: 1, Time: 6, PID: 42, Regions: []event.Region{
			code(0x1000, "/bin/p", 0), code(0x3000, "/lib/old.so (deleted)", 0x2000), {Range: interval.Of(0x8000, 0x1000), Path: "/bin/p"},
		}},
		{Kind: event.Snapshot, Space: 1, Time: 7, PID: 42, Regions: []event.Region{
			code(0x1000, "/bin/p", 0), code(0x5000, "[vdso]", 0), code(0x7000, "", 0),
		}},
		{Kind: event.Fork, Space: 2, Parent: 1, PID: 43, Time: 7},
		{Kind: event.StackDef, Space: 1, Stack: 3, Frames: []uint64{0x3010, 0x2000, 0x5001, 0x7002, 0x8001, 0}, Time: 8},
		{Kind: event.StackDef, Space: 2, Stack: 4, Frames: []uint64{0x1001}, Time: 8},
		{Kind: event.StackDef, Space: 3, Stack: 5, Frames: []uint64{0x1001}, Time: 8},
	} {
		if err := w.Event(&ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	_, frames, _, err := Load(&b)
	if !errors.Is(err, ErrTruncated) {
		t.Fatalf("error %v", err)
	}
	want := stack.Table{
		3: {
			{Module: "/lib/old.so", Offset: 0x200f}, {Module: "/bin/p", Offset: 0xfff}, {Module: "[vdso]", Offset: 0x5000},
			{Module: "[anon]", Offset: 0x7001}, {Offset: 0x8000}, {},
		},
		4: {{Module: "/bin/p"}},
		5: {{Offset: 0x1000}},
	}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

// A text trace has no facts of its own: the window is from its first event to
// its last.
func TestLoadText(t *testing.T) {
	tr, frames, facts, err := Load(strings.NewReader("stack 3 0x401000\nmmap 0x1000+0x4000 stack=3 t=5s\nmunmap 0x2000+0x1000 t=7s\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := report.Facts{
		Host: report.Host{PageSize: 4096}, Begin: 5e9, End: 7e9,
		Window: report.Window{Duration: 2e9, StoppedBy: "end of trace"},
		Kernel: report.KernelFacts{Events: 3, OrderMode: "lock"},
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	r := report.Build(tr, frames, facts)
	if len(r.Paths) != 1 {
		t.Fatalf("paths %+v", r.Paths)
	}
	if diff := cmp.Diff([]stack.Frame{{Offset: 0x401000}}, r.Paths[0].Frames); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct{ name, input, want string }{
		{"a text that is no trace names the line", "mmap 0x1000+0x1000\nhello\n", `trace:2: not an event: "hello"`},
		{"a newer recording is no text", Magic + "\x02\x00\x00\x00",
			"reading version 2 of the format, 1 is the newest known: written by a newer mmtrace"},
		{"another binary file is no text", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00", "reading the head: not a recording"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, _, _, err := Load(strings.NewReader(tt.input))
			if tr != nil || err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
