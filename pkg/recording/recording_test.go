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

var (
	testHeader = Header{
		Tool:    report.Tool{Name: "mmtrace", Version: "1.2.3"},
		Host:    report.Host{Name: "box", PageSize: 4096, CPUs: 2},
		Targets: []report.TargetFacts{{PID: 42, Comm: "a b", Cmdline: []string{"a b", "-x"}}},
		Window:  report.Window{StartUnix: 1000, Planned: 30e9},
		Begin:   5, OrderMode: "lock",
	}
	testFacts = report.Facts{
		Tool: testHeader.Tool, Host: testHeader.Host, Targets: testHeader.Targets,
		Window: report.Window{StartUnix: 1000, Planned: 30e9, Duration: 20, StoppedBy: "exit"},
		Begin:  5, End: 25, Kernel: report.KernelFacts{Events: 9, OrderMode: "lock"},
		Cost: report.CostFacts{CallLonger: 75.5, Idle: 57, Sampled: 20, Events: 9, TargetCPU: 11, CPU: 12, OtherCPU: 13,
			Memory: 1 << 27, Maps: 1 << 26, Programs: []report.ProgramCost{{Name: "call_returned", Role: "return", Runs: 10, Time: 9000}},
			Quiet: []report.ProgramCost{{Name: "call_returned", Role: "return", Runs: 1, Time: 60}}},
	}
	testFrames = stack.Table{
		7: {
			{Function: "leak()", Linkage: "_Z4leakv", Start: 12, Module: "/bin/a b", BuildID: "ab12", Offset: 0x1234, File: "a.cc", Line: 9, Inlined: true},
			{Module: "[anon]", Offset: 0x7f0000001000},
		},
		1 << 63: {{Function: "bad \xff name"}},
		9:       {},
	}
	testEvents = []event.Event{
		{Kind: event.Process, Space: 1, PID: 42, Name: "a b", Time: 5},
		{Kind: event.Snapshot, Space: 1, Time: 6, PID: 42, Regions: []event.Region{
			{Range: interval.Range{Start: 0x1000, End: 0x3000}, Prot: event.ProtRead, Path: "/bin/a b", Inode: 7},
		}},
		{Kind: event.StackDef, Space: 1, Stack: 7, Frames: []uint64{1, 2}, Time: 6, PID: 42},
		{Kind: event.Mmap, Space: 1, Seq: 1, Time: 8, PID: 42, Args: [6]uint64{0, 0x2000}, Ret: 0x10000, Stack: 7, TotalVM: 2},
		{Kind: event.Munmap, Space: 1, Seq: 2, Time: 9, PID: 42, Args: [6]uint64{0x11000, 0x1000}, Stack: 7, TotalVM: 4},
	}
)

// record returns a complete recording of the given events.
func record(t testing.TB, events []event.Event) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, testHeader)
	for i := range events {
		if err := w.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Finish(testFacts, testFrames); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scan returns the events of a recording.
func scan(r *Reader) []event.Event {
	var out []event.Event
	for r.Scan() {
		out = append(out, *r.Event())
	}
	return out
}

func TestRecordingKeepsEverything(t *testing.T) {
	b := record(t, testEvents)
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	got := scan(r)
	if err := r.Err(); err != nil || !r.Complete() {
		t.Errorf("error %v, complete %t", err, r.Complete())
	}
	for _, diff := range []string{
		cmp.Diff(testEvents, got), cmp.Diff(testHeader, r.Header()),
		cmp.Diff(testFacts, r.Facts()), cmp.Diff(testFrames, r.Frames()),
	} {
		if diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	}
	if again := record(t, testEvents); !bytes.Equal(b, again) {
		t.Error("the same recording has other bytes the second time")
	}
}

// A recording that is cut short anywhere gives the events of the whole chunks
// before the cut and says that it is incomplete.
func TestRecordingCutShort(t *testing.T) {
	b := record(t, testEvents)
	seen := make(map[int]bool)
	for n := 1; n < len(b); n++ {
		r, err := NewReader(bytes.NewReader(b[:n]))
		if err != nil {
			if !errors.Is(err, ErrTruncated) {
				t.Fatalf("first %d bytes: %v", n, err)
			}
			continue
		}
		got := scan(r)
		if !errors.Is(r.Err(), ErrTruncated) || r.Complete() {
			t.Fatalf("first %d bytes: error %v, complete %t", n, r.Err(), r.Complete())
		}
		seen[len(got)] = true
		if diff := cmp.Diff(testEvents[:len(got)], got); diff != "" && len(got) > 0 {
			t.Fatalf("first %d bytes: events (-written +read):\n%s", n, diff)
		}
		if f := r.Facts(); len(f.Targets) != 1 || f.Begin != 5 {
			t.Fatalf("first %d bytes: facts %+v", n, f)
		}
	}
	if diff := cmp.Diff(map[int]bool{0: true, 3: true, 5: true}, seen); diff != "" {
		t.Errorf("numbers of events (-want +got):\n%s", diff)
	}
}

// No single changed byte goes unnoticed.
func TestRecordingDamaged(t *testing.T) {
	b := record(t, testEvents)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		r, err := NewReader(bytes.NewReader(bad))
		if err != nil {
			continue
		}
		scan(r)
		if r.Err() == nil || r.Complete() {
			t.Fatalf("byte %d of %d changed: error %v, complete %t", i, len(b), r.Err(), r.Complete())
		}
	}
}

func TestRecordingHeadErrors(t *testing.T) {
	for _, tt := range []struct {
		name, input, text string
		is                error
	}{
		{"an empty file is no recording", "", "reading the head: not a recording", ErrFormat},
		{"another file is no recording", "\x7fELF..........", "reading the head: not a recording", ErrFormat},
		{"a part of the magic is the start of a recording", "mmtr", "reading the head: recording is incomplete", ErrTruncated},
		{"a newer version is told", Magic + "\x07\x00\x00\x00",
			"reading version 7 of the format, 1 is the newest known: written by a newer mmtrace", ErrVersion},
		{"version 0 never was", Magic + "\x00\x00\x00\x00", "reading version 0 of the format: recording is damaged", ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewReader(strings.NewReader(tt.input))
			if !errors.Is(err, tt.is) || err.Error() != tt.text {
				t.Errorf("error %q, want %q", err, tt.text)
			}
		})
	}
}

// Chunks of a type that is not known are passed over.
func TestRecordingUnknownChunk(t *testing.T) {
	b := record(t, testEvents)
	var out bytes.Buffer
	w := &Writer{w: &out, chunk: make([]byte, chunkHead)}
	w.write(b[:fileHead])
	w.json(chunkHeader, testHeader)
	w.seal('?', append(make([]byte, chunkHead), "from the future"...))
	if err := w.Event(&testEvents[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(testFacts, testFrames); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	if got := scan(r); len(got) != 1 || r.Err() != nil || !r.Complete() {
		t.Errorf("%d events, error %v, complete %t", len(got), r.Err(), r.Complete())
	}
}

func TestWriterRefusesWhatHasNoForm(t *testing.T) {
	w := NewWriter(discard{}, testHeader)
	err := w.Event(&event.Event{Kind: event.StackCopy})
	if want := "recording an event of kind 250: it has no form"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := w.Finish(testFacts, testFrames); err != nil {
		t.Error(err)
	}
}

// A full disk is an error of every call from then on.
func TestWriterErrorStays(t *testing.T) {
	w := NewWriter(fullDisk{}, testHeader)
	want := "writing the recording: no space left"
	if err := w.Event(&testEvents[0]); err == nil || err.Error() != want {
		t.Errorf("Event: %v", err)
	}
	if err := w.Flush(); err == nil || err.Error() != want {
		t.Errorf("Flush: %v", err)
	}
	if err := w.Finish(testFacts, testFrames); err == nil || err.Error() != want {
		t.Errorf("Finish: %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// FuzzReader requires that no input does harm and that an end is never made up.
func FuzzReader(f *testing.F) {
	b := record(f, testEvents)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		scan(r)
		if r.Complete() != (r.Err() == nil) {
			t.Errorf("complete %t, error %v", r.Complete(), r.Err())
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(discard{}, testHeader)
	ev := testEvents[3]
	for b.Loop() {
		ev.Seq++
		ev.Time += 3000
		ev.Ret += 4096
		if err := w.Event(&ev); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
