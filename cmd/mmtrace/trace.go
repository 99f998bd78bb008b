package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/session"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// trace follows j's targets for the window, writes the outputs and returns the
// exit code.
func trace(_ context.Context, j *job) (exit int, err error) {
	began := time.Now()
	rec, err := j.openRecording()
	if err != nil {
		return exitFailure, err
	}
	defer func() { err = errors.Join(err, rec.close()) }()
	s, err := session.Start(j.config(rec))
	if err != nil {
		return exitFailure, rec.blame(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := j.attached(); err != nil {
		return exitFailure, err
	}
	if err := dropRights(); err != nil {
		j.verbosely("%v", err)
	}
	j.verbosely("attached in %v; a buffer of %s for events", time.Since(began).Round(time.Millisecond), &j.buffer)
	j.progress.start(j.what())
	j.noteChildren()
	why, err := s.Run(j.stop, j.interim, func() { j.report(s) }, func() { j.tick(s, rec) })
	if err != nil {
		return exitFailure, rec.blame(err)
	}
	s.Settle(why)
	j.progress.end(readingOf(s))
	ended := time.Now()
	r, facts, frames := s.Report()
	j.suppress(r)
	j.noteUnused(r, j.progress.note)
	j.verbosely("looked up what is in memory in %v", time.Duration(facts.Resident.Took).Round(time.Millisecond))
	j.verbosely("looked at files and shared memory in %v", time.Duration(facts.Files.Took).Round(time.Millisecond))
	j.verbosely("made the report of %d events and %d call stacks in %v", facts.Kernel.Events, len(frames),
		time.Since(ended).Round(time.Millisecond))
	if err := errors.Join(rec.finish(facts, frames), j.finished(r)); err != nil {
		return exitFailure, err
	}
	return j.verdict(r, j.streams.err), nil
}

// config returns what the session needs to know.
func (j *job) config(rec *recorder) session.Config {
	c := session.Config{
		Targets: j.targets, Follow: j.follow, RingBytes: int(j.buffer), Order: orderOf(j.order.word),
		MaxOverhead: float64(j.overhead), Raise: raiseAdmin,
		Tool: tool(), Planned: time.Duration(j.duration), Record: rec.begin(), NoResident: j.noResident,
		Tail: j.tail.Tail, When: j.fired,
		Progress: func(what string) { j.progress.note("%s", what) },
	}
	if j.command != nil {
		c.StopAtExec = true
		c.OnExec = func(pid event.PID) {
			if pid == j.command.proc.PID() {
				j.command.resume()
			}
		}
	}
	if j.verbose > 0 { // a library without unwind tables is no news to most
		c.Note = func(doing string, err error) { j.progress.note("mmtrace: %s: %v", doing, err) }
	}
	return c
}

// orderOf returns what a word of --order stands for.
func orderOf(word string) probe.Order {
	if word == "auto" {
		return probe.OrderAuto
	}
	return probe.Order(word)
}

// what names the targets.
func (j *job) what() string {
	var names []string
	for _, p := range j.targets {
		name := p.Comm()
		if j.command != nil {
			name = j.command.name
		}
		names = append(names, fmt.Sprintf("%s (%d)", oneLine(name), p.PID()))
	}
	return strings.Join(names, ", ")
}

// verbosely says something with -v.
func (j *job) verbosely(format string, args ...any) {
	if j.verbose > 0 {
		j.progress.note("mmtrace: "+format, args...)
	}
}

// tick is called several times a second while the window is open. An error of a
// recording that is made alone ends the trace at its next event, and is told then.
func (j *job) tick(s *session.Session, rec *recorder) {
	if err := rec.flush(time.Now()); err != nil && !j.told && !rec.alone {
		j.told = true
		j.progress.note("mmtrace: %v", rec.wrap(err))
	}
	j.progress.update(readingOf(s))
}

// noteChildren says which children of targets are not traced: -f takes only
// those that are yet to come.
func (j *job) noteChildren() {
	list, err := procfs.List()
	if err != nil || j.command != nil {
		return
	}
	self := event.PID(os.Getpid())
	for _, p := range j.targets {
		var pids []string
		for _, e := range list {
			traced := slices.ContainsFunc(j.targets, func(q *procfs.Process) bool { return q.PID() == e.PID })
			if e.Parent == p.PID() && !traced && e.PID != self {
				pids = append(pids, fmt.Sprint(e.PID))
			}
		}
		switch n := len(pids); {
		case n > maxChildren:
			j.progress.note("note: %d children of %s (%d) run already and are not traced; -p takes them, too",
				n, oneLine(p.Comm()), p.PID())
		case n > 0:
			j.progress.note("note: what %s (%d) has started already is not traced; that would be -p %s",
				oneLine(p.Comm()), p.PID(), strings.Join(pids, ","))
		}
	}
}

// maxChildren bounds the children that are named.
const maxChildren = 8

// report writes a report on the window so far. What goes wrong with it is told,
// and tracing goes on.
func (j *job) report(s *session.Session) {
	r, err := s.Interim()
	if err == nil {
		j.suppress(r)
		err = j.writeReport(j.streams, r)
	}
	if err != nil {
		j.progress.note("mmtrace: %v", err)
	}
}

func readingOf(s *session.Session) reading {
	r := s.Reading()
	return reading{elapsed: r.Elapsed, maps: r.Calls, unmaps: r.Unmaps, outstanding: r.Outstanding, lost: r.Lost}
}
