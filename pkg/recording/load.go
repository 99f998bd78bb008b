package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// Load reads a recording, or a trace in the text form, to its end and runs its
// events through a trace. With ErrTruncated and ErrCorrupt it returns all that
// was read before, which is good for a report, beside the error; with any other
// error the trace is nil. Stacks whose frames are lost with the end have frames of
// the files that their addresses lie in. What begins with a recording's magic is
// one.
func Load(r io.Reader) (*trace.Trace, stack.Table, report.Facts, error) {
	br := bufio.NewReader(r)
	if start, _ := br.Peek(len(Magic)); !isRecording(start) { // an error comes again
		return loadText(br)
	}
	rd, err := NewReader(br)
	if err != nil {
		return nil, nil, report.Facts{}, err
	}
	t, at := trace.New(pageSize(rd.Header().Host)), newPlaces()
	if rd.Header().OrderMode == "calls" {
		t.Tracker().OrderByCalls()
	}
	for rd.Scan() {
		t.Add(rd.Event())
		at.note(rd.Event())
	}
	if err := rd.Err(); err != nil && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrCorrupt) {
		return nil, nil, report.Facts{}, err
	}
	t.Flush()
	if rd.Err() != nil {
		return t, at.fill(t, rd.Frames()), rd.Facts(), rd.Err()
	}
	return t, rd.Frames(), rd.Facts(), nil
}

// isRecording tells a recording from a text by its first bytes: a text holds no
// zero byte and a recording does, among the first eight.
func isRecording(start []byte) bool {
	for _, b := range start {
		if b == 0 {
			return true
		}
	}
	return false
}

// loadText reads a text trace. Its window is from the first to the last event.
func loadText(r io.Reader) (*trace.Trace, stack.Table, report.Facts, error) {
	rd := event.NewReader(r, "trace")
	var h Header
	t := trace.New(pageSize(h.Host))
	var events uint64
	for ; rd.Scan(); events++ {
		ev := rd.Event()
		if ev.Kind != event.StackDef && (h.Begin == 0 || ev.Time < h.Begin) {
			h.Begin = ev.Time
		}
		t.Add(ev)
	}
	if err := rd.Err(); err != nil {
		return nil, nil, report.Facts{}, err
	}
	if events == 0 {
		return nil, nil, report.Facts{}, fmt.Errorf("reading an input without events: %w", ErrFormat)
	}
	t.Flush()
	h.Host.PageSize = pageSize(h.Host)
	h.OrderMode = "lock"
	return t, stack.Table{}, h.facts(events, t.Last()), nil
}
