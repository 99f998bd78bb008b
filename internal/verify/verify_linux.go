// Package verify runs programs of others with a trace attached from their first
// instruction, and compares every process that exits with the kernel's map.
package verify

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/session"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// patience is how long the trace may take to catch up with the processes.
const patience = 20 * time.Second

// A Score says how well a trace of one program went.
type Score struct {
	conformance.Result
	Exits     int    // maps compared, each just before the last thread left it
	Growth    int    // of these, those that first had to be read, for a stack that grew by itself or a failed call
	Wrong     int    // of these, those that differed
	Events    uint64 // records
	Checks    uint64 // comparisons of page counts, one a change
	Mismatch  uint64 // of these, those that differed
	Corrected uint64 // bytes that readings of the kernel's map found wrong
	Lost      uint64
	Took      time.Duration
}

// Exact reports whether the trace was right all along.
func (s Score) Exact() bool {
	return s.Wrong == 0 && s.Mismatch == 0 && s.Corrected == 0 && s.Lost == 0 && s.Exits > 0
}

// Add adds the counts of o to s.
func (s *Score) Add(o Score) {
	s.Exits += o.Exits
	s.Growth += o.Growth
	s.Wrong += o.Wrong
	s.Events += o.Events
	s.Checks += o.Checks
	s.Mismatch += o.Mismatch
	s.Corrected += o.Corrected
	s.Lost += o.Lost
	s.Took += o.Took
}

// A runner traces one program. Its session belongs to the goroutine of serve but
// for the time in which a hook of the driver waits for an answer.
type runner struct {
	s        *session.Session
	target   *procfs.Process
	requests chan func()
	stop     chan struct{}
	stopped  chan struct{}
	score    Score
	err      error
}

// Run runs c with a trace of it and of all its descendants.
func Run(c conformance.Command) (Score, error) {
	r := &runner{requests: make(chan func()), stop: make(chan struct{}), stopped: make(chan struct{})}
	start := time.Now()
	res, err := conformance.Run(c, conformance.Hooks{Exec: r.exec, Fork: r.fork, Quiet: r.quiet})
	r.score.Result, r.score.Took = res, time.Since(start)
	if r.s != nil {
		close(r.stop)
		<-r.stopped
		r.finish()
	}
	if err == nil {
		err = r.err
	}
	return r.score, err
}

// exec attaches at the first program's start, and takes the map of every program
// before it has run.
func (r *runner) exec(pid int) {
	if r.s != nil {
		r.do(r.catchUp)
		return
	}
	if r.err != nil {
		return
	}
	if r.target, r.err = procfs.Open(event.PID(pid)); r.err != nil {
		return
	}
	r.s, r.err = session.Start(session.Config{Targets: []*procfs.Process{r.target}, Follow: true})
	if r.err == nil {
		go r.serve()
	}
}

func (r *runner) fork(int, int, bool) {
	if r.s != nil {
		r.do(r.catchUp)
	}
}

// serve applies events, and between them what the hooks ask for.
func (r *runner) serve() {
	defer close(r.stopped)
	interim := make(chan struct{})
	var request func()
	go func() {
		for f := range r.requests {
			request = f
			interim <- struct{}{}
		}
	}()
	for {
		_, err := r.s.Run(r.stop, interim, func() { request() }, nil)
		if err != nil {
			r.fail(err)
		}
		select { // the first process may end before the others
		case <-r.stop:
			close(r.requests)
			return
		case <-interim:
			request()
		}
	}
}

// do runs f on the session's goroutine and waits for it.
func (r *runner) do(f func()) {
	done := make(chan struct{})
	r.requests <- func() {
		defer close(done)
		f()
	}
	<-done
}

func (r *runner) catchUp() {
	if !r.s.CatchUp(patience) {
		r.fail(fmt.Errorf("catching up with the processes: not in %v", patience))
	}
}

func (r *runner) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// quiet compares the map of a process that exits.
func (r *runner) quiet(pid, tid int) (err error) {
	if r.s == nil {
		return nil
	}
	r.do(func() { err = r.compare(pid, tid) })
	return err
}

func (r *runner) compare(pid, tid int) error {
	r.catchUp()
	p := r.s.Trace().Tracker().Processes()[event.PID(pid)]
	if p == nil {
		return fmt.Errorf("comparing process %d: it is not under trace", pid)
	}
	kernel, err := readMap(tid)
	if err != nil || len(kernel) == 0 {
		return err // it has been killed
	}
	r.score.Exits++
	space := r.s.Trace().Tracker().Spaces()[p.Space]
	if d := differs(kernel, space); d == "" {
		return nil
	}
	if r.s.Trace().Tracker().Wants()[p.Space] != track.Nothing {
		r.score.Growth++
		r.s.ReadWanted()
		r.catchUp()
	}
	if d := differs(kernel, space); d != "" {
		r.score.Wrong++
		return fmt.Errorf("comparing process %d: %s", pid, d)
	}
	return nil
}

// differs says how a live map differs from the kernel's, empty if it does not.
func differs(kernel []event.Region, sp *track.Space) string {
	var tracked []interval.Range
	for e := range sp.Live.All() {
		tracked = append(tracked, e.Range)
	}
	missing, extra := conformance.Diff(kernel, tracked)
	if len(missing)+len(extra) == 0 {
		return ""
	}
	return fmt.Sprintf("missing %v, extra %v", missing, extra)
}

func readMap(tid int) ([]event.Region, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", tid))
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	return procfs.ParseMaps(f)
}

// finish takes over the counts and gives the session back.
func (r *runner) finish() {
	st := r.s.Trace().Tracker().Stats()
	r.score.Checks, r.score.Mismatch, r.score.Corrected = st.Checks, st.Mismatches, st.Corrected
	r.score.Events, r.score.Lost = r.s.Trace().Order().Events, r.s.Reading().Lost
	if err := r.s.Close(); err != nil {
		r.fail(err)
	}
	_ = r.target.Close() // nothing was written
}

// Header and Row are the lines of a table of scores.
const Header = "program                          exits  read wrong    events    checks mismatch corrected lost  time"

// Row returns the line of a program.
func (s Score) Row(name string) string {
	return strings.TrimRight(fmt.Sprintf("%-32s %5d %5d %5d %9d %9d %8d %9d %4d %5.1fs", name, s.Exits, s.Growth, s.Wrong,
		s.Events, s.Checks, s.Mismatch, s.Corrected, s.Lost, s.Took.Seconds()), " ")
}
