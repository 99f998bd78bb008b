// Package recording keeps a trace in a file and reads it back: all events as
// they arrived, what the machine told beside them, and the frames of their call
// stacks, so that any report can be made later and elsewhere. The format is
// described in docs/recording.md.
package recording

import (
	"errors"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// Magic is what every recording begins with.
const Magic = "mmtrace\x00"

// Version is the version of the format that this package writes, and the newest
// that it reads.
const Version = 1

// Errors of reading, to be tested with errors.Is.
var (
	// ErrFormat means that the input is no recording.
	ErrFormat = errors.New("not a recording")
	// ErrVersion means that a newer version of the format was used.
	ErrVersion = errors.New("written by a newer mmtrace")
	// ErrTruncated means that the input ends before the recording does. What was
	// read up to there is good.
	ErrTruncated = errors.New("recording is incomplete")
	// ErrCorrupt means that a checksum or a length does not fit.
	ErrCorrupt = errors.New("recording is damaged")
)

// A Header is what is known before the first event. It makes a report possible
// if the recording is cut short.
type Header struct {
	Tool    report.Tool
	Host    report.Host
	Targets []report.TargetFacts
	// Window holds the start and the planned length.
	Window report.Window
	// Begin is the start of the window on the clock of the events.
	Begin event.Time
	// OrderMode is as in report.KernelFacts.
	OrderMode string
}

// facts returns what h tells about a recording whose own facts are missing.
func (h *Header) facts(events uint64, last event.Time) report.Facts {
	f := report.Facts{
		Tool: h.Tool, Host: h.Host, Targets: h.Targets, Window: h.Window,
		Begin: h.Begin, End: max(h.Begin, last),
		Kernel: report.KernelFacts{Events: events, OrderMode: h.OrderMode},
	}
	f.Window.Duration = f.End - f.Begin
	f.Window.StoppedBy = "end of trace"
	return f
}

// pageSize returns the host's page size in bytes, or that of most machines.
func pageSize(h report.Host) uint64 {
	if p := h.PageSize; p != 0 && p&(p-1) == 0 {
		return p
	}
	return 4096
}
