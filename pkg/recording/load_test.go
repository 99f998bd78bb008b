package recording

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
