package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/mmtrace/mmtrace/internal/session"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/recording"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// trace follows j's targets for the window, writes the outputs and returns the
// exit code.
func trace(_ context.Context, j *job) (exit int, err error) {
	rec, err := j.openRecording()
	if err != nil {
		return exitFailure, err
	}
	defer func() { err = errors.Join(err, rec.close()) }()
	s, err := session.Start(j.config(rec))
	if err != nil {
		return exitFailure, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := j.attached(); err != nil {
		return exitFailure, err
	}
	j.progress.start(j.what())
	why, err := s.Run(j.stop, j.interim, func() { j.report(s) }, func() { j.progress.update(readingOf(s)) })
	if err != nil {
		return exitFailure, j.blame(err)
	}
	s.Settle(why)
	j.progress.end(readingOf(s))
	r, facts, frames := s.Report()
	if err := rec.finish(facts, frames); err != nil {
		return exitFailure, err
	}
	if err := j.finished(r); err != nil {
		return exitFailure, err
	}
	return j.verdict(r), nil
}

// config returns what the session needs to know.
func (j *job) config(rec *recorder) session.Config {
	c := session.Config{
		Targets: j.targets, Follow: j.follow, RingBytes: int(j.buffer),
		Tool: tool(), Planned: time.Duration(j.duration), Record: rec.begin(),
	}
	if j.command != nil {
		c.StopAtExec = true
		c.OnExec = func(pid event.PID) { _ = syscall.Kill(int(pid), syscall.SIGCONT) } // it may have been killed
	}
	return c
}

// what names the targets.
func (j *job) what() string {
	var names []string
	for _, p := range j.targets {
		name := p.Comm()
		if j.command != nil {
			name = j.command.name
		}
		names = append(names, fmt.Sprintf("%s (%d)", name, p.PID()))
	}
	return strings.Join(names, ", ")
}

// report writes a report on the window so far. What goes wrong with it is told,
// and tracing goes on.
func (j *job) report(s *session.Session) {
	r, err := s.Interim()
	if err == nil {
		err = j.writeReport(j.streams, r)
	}
	if err != nil {
		j.progress.note("mmtrace: %v", err)
	}
}

// blame says which output an error of the trace came from.
func (j *job) blame(err error) error {
	if j.recording != "" {
		return &outputError{j.recording, bareCause(err)}
	}
	return err
}

// verdict returns the exit code that a report means.
func (o *options) verdict(r *report.Report) int {
	q := r.Quality
	if o.strict && (q.Lost+q.Missed+q.MapFull > 0 || !q.Verified || q.ExtraBytes+q.UnexplainedBytes > 0) {
		return exitIncomplete
	}
	return exitOK
}

func readingOf(s *session.Session) reading {
	r := s.Reading()
	return reading{elapsed: r.Elapsed, maps: r.Calls, unmaps: r.Unmaps, outstanding: r.Outstanding, lost: r.Lost}
}

// A recorder writes the recording, if one was asked for. The zero value writes
// nothing.
type recorder struct {
	path string
	f    *os.File
	buf  *bufio.Writer
	w    *recording.Writer
}

// openRecording opens the file that the options name.
func (o *options) openRecording() (*recorder, error) {
	if o.recording == "" {
		return &recorder{}, nil
	}
	f, err := os.OpenFile(o.recording, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, &outputError{o.recording, bareCause(err)}
	}
	return &recorder{path: o.recording, f: f, buf: bufio.NewWriterSize(f, 1<<20)}, nil
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
		return r.w.Event
	}
}

// finish completes the recording.
func (r *recorder) finish(f report.Facts, frames stack.Table) error {
	if r.w == nil {
		return nil
	}
	err := r.w.Finish(f, frames)
	if err == nil {
		err = r.buf.Flush()
	}
	return r.wrap(err)
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
