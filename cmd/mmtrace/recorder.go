package main

import (
	"bufio"
	"errors"
	"os"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/recording"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A recorder writes the recording, if one was asked for. The zero value writes
// nothing.
type recorder struct {
	path string
	f    *os.File
	buf  *bufio.Writer
	w    *recording.Writer

	alone   bool // nothing else is written
	flushed time.Time
	err     error // the first
}

// flushEvery bounds how much of a recording is lost when the tracer is killed.
const flushEvery = time.Second

// openRecording opens the file that the options name.
func (o *options) openRecording() (*recorder, error) {
	if o.recording == "" {
		return &recorder{}, nil
	}
	f, err := create(o.recording)
	if err != nil {
		return nil, &outputError{o.recording, bareCause(err)}
	}
	return &recorder{path: o.recording, alone: len(o.outputs) == 0, f: f, buf: bufio.NewWriterSize(f, 1<<20)}, nil
}

// begin returns the session's hook, nil if nothing is recorded.
func (r *recorder) begin() func(report.Facts) func(*event.Event) error {
	if r.f == nil {
		return nil
	}
	return func(f report.Facts) func(*event.Event) error {
		r.w = recording.NewWriter(r.buf, recording.Header{
			Tool: f.Tool, Host: f.Host, Targets: f.Targets, Window: f.Window,
			Begin: f.Begin, OrderMode: f.Kernel.OrderMode,
		})
		_ = r.flush(time.Now()) // its error comes with the first event
		return r.event
	}
}

// event records one event. Its error ends the trace, which it must not do if
// there are reports to be made, too: then finish has it.
func (r *recorder) event(ev *event.Event) error {
	if r.err == nil {
		r.err = r.w.Event(ev)
	}
	if r.alone {
		return r.err
	}
	return nil
}

// flush writes out what is buffered if that was long ago, and returns the first
// error of the recording.
func (r *recorder) flush(now time.Time) error {
	if r.w == nil || r.err != nil || now.Sub(r.flushed) < flushEvery {
		return r.err
	}
	r.flushed = now
	if r.err = r.w.Flush(); r.err == nil {
		r.err = r.buf.Flush()
	}
	return r.err
}

// finish completes the recording.
func (r *recorder) finish(f report.Facts, frames stack.Table) error {
	if r.w == nil {
		return nil
	}
	err := r.err
	if err == nil {
		err = r.w.Finish(f, frames)
	}
	if err == nil {
		err = r.buf.Flush()
	}
	return r.wrap(err)
}

// blame returns the recorder's error if that is what ended the trace, else err.
func (r *recorder) blame(err error) error {
	if r.err != nil && errors.Is(err, r.err) {
		return r.wrap(r.err)
	}
	return err
}

func (r *recorder) close() error {
	if r.f == nil {
		return nil
	}
	return r.wrap(r.f.Close())
}

func (r *recorder) wrap(err error) error {
	if err == nil {
		return nil
	}
	return &outputError{r.path, bareCause(err)}
}
