package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// Processes that have one ID after the other are several, each with what /proc told
// of it; one that executes another program stays one.
func TestProcessesOfOneID(t *testing.T) {
	r := report.Build(traced(t, `
process pid=42 space=1 comm=server
snapshot space=1
  1000-2000 rw-p
fork space=2 pid=50 ppid=42 parent=1@0 comm=server
exec space=3 pid=50 comm=gzip
mmap 0x8000+0x1000 stack=1 space=3 pid=50
exit pid=50 space=3 status=256
end space=3
fork space=4 pid=50 ppid=42 parent=1@0 comm=server
mmap 0x8000+0x3000 stack=1 space=4 pid=50
exit pid=42 space=1
end space=1
fork space=5 pid=42 ppid=1 parent=4@1 comm=late
`), nil, report.Facts{End: 1e9, Targets: []report.TargetFacts{
		{PID: 42, Exe: "/bin/server"}, // as it was before spaces were told
		{PID: 50, Space: 3, Exe: "/bin/gzip", StartTicks: 7},
		{PID: 50, Space: 4, Exe: "/bin/server", StartTicks: 9},
	}})
	type target struct {
		PID   event.PID
		Use   uint64
		Comm  string
		Exe   string
		Ended string
	}
	var got []target
	for _, g := range r.Targets {
		got = append(got, target{g.PID, g.Use, g.Comm, g.Exe, g.Ended})
	}
	if diff := cmp.Diff([]target{
		{42, 1, "server", "", "exited"},
		{42, 2, "late", "", ""},
		{50, 1, "gzip", "/bin/gzip", "exited with status 1"},
		{50, 2, "server", "/bin/server", ""},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := r.Totals.OldBytes; n != 0x3000 { // the target that ended holds what it held, and its children have a copy
		t.Errorf("%#x bytes from before, want 0x3000", n)
	}
}

// A process is another than the one that had its ID before, though the record of that
// one's exit is lost; one that is born in its parent's space and leaves it is not.
func TestProcessesOfOneIDWithoutAnExit(t *testing.T) {
	r := report.Build(traced(t, `
process pid=42 space=1 comm=server
fork space=2 pid=50 ppid=42 parent=1@0 comm=server
fork space=3 pid=50 ppid=42 parent=1@0 comm=server
exit pid=50 space=3 status=256
fork space=1 pid=51 ppid=42 parent=1@0 comm=server
exec space=4 pid=51 comm=gzip
`), nil, report.Facts{End: 1e9})
	type target struct {
		PID   event.PID
		Use   uint64
		Comm  string
		Ended string
	}
	var got []target
	for _, g := range r.Targets {
		got = append(got, target{g.PID, g.Use, g.Comm, g.Ended})
	}
	if diff := cmp.Diff([]target{
		{42, 1, "server", ""},
		{50, 1, "server", "exited"},
		{50, 2, "server", "exited with status 1"},
		{51, 1, "gzip", ""},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
