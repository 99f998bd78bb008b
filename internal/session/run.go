package session

import (
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Reason is why a window ended, in the words of report.Window.
type Reason string

// Reasons.
const (
	Running  Reason = ""
	Elapsed  Reason = "duration"
	Stopped  Reason = "signal"
	Exited   Reason = "exit"
	BadWrite Reason = "error"
)

// tickEvery is how often Run looks at what the core wants and calls tick.
const tickEvery = 100 * time.Millisecond

// Run applies events until the planned time is over, stop is closed or the last
// target has ended, and returns why. tick, if not nil, is called now and then.
func (s *Session) Run(stop <-chan struct{}, interim <-chan struct{}, onInterim func(), tick func()) (Reason, error) {
	defer keepAhead()()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var over <-chan time.Time
	if s.cfg.Planned > 0 {
		timer := time.NewTimer(s.cfg.Planned - time.Duration(now()-s.begin))
		defer timer.Stop()
		over = timer.C
	}
	for {
		select {
		case batch, ok := <-s.reader.full:
			if !ok {
				return Stopped, s.reader.err
			}
			s.handleAll(batch)
			s.readWanted()
		case r := <-s.finished:
			s.arrived(r)
		case <-ticker.C:
			s.readWanted()
			s.sampleIfDue()
			if tick != nil {
				tick()
			}
		case <-over:
			return Elapsed, nil
		case <-stop:
			return Stopped, nil
		case <-interim:
			onInterim()
		}
		if s.recordErr != nil {
			return BadWrite, s.recordErr
		}
		if s.ended() {
			return Exited, nil
		}
	}
}

// ended reports whether every target has ended.
func (s *Session) ended() bool {
	for pid := range s.roots {
		if p := s.procs[pid]; p != nil && !p.Alive() {
			s.drainRing(settleTime)
			delete(s.roots, pid)
		}
	}
	return len(s.roots) == 0
}

// handleAll applies a batch and gives it back.
func (s *Session) handleAll(batch []event.Event) {
	for i := range batch {
		s.clock = max(s.clock, batch[i].Time)
		s.tell(&batch[i])
		s.handle(&batch[i])
	}
	s.reader.recycle(batch)
}

// handle does what the live side has to do for an event, and applies it.
func (s *Session) handle(ev *event.Event) {
	if s.hold(ev) {
		return
	}
	switch ev.Kind {
	case event.StackCopy:
		s.copies[ev.Stack] = ev.Copy
		return
	case event.NewCode:
		if sp := s.spaces[ev.Space]; sp != nil {
			sp.stale = true
		}
		return
	case event.StackDef:
		s.locate(ev)
	case event.Mmap:
		if ev.Marks&event.File != 0 && !ev.Failed() && ev.Args[2]&uint64(event.ProtExec) != 0 {
			s.space(ev.Space).stale = true
		}
	case event.Fork:
		s.born(ev)
	case event.Exec:
		s.executed(ev)
		return
	case event.End:
		s.probe.DropCode(ev.Space)
		s.forget(ev.Space)
	case event.Exit:
		delete(s.roots, ev.PID)
		s.left(ev.PID)
	}
	s.add(ev)
}

// forget gives back what the live side holds of a space that has ended. Its
// stacks have their places already.
func (s *Session) forget(id event.SpaceID) {
	if sp := s.spaces[id]; sp != nil {
		sp.close()
		delete(s.spaces, id)
	}
}

// left gives back a process that has ended, if it was opened here: of short
// children there can be more than files may be open.
func (s *Session) left(pid event.PID) {
	p := s.procs[pid]
	if p == nil || !p.own {
		return
	}
	for _, sp := range s.spaces {
		if sp.proc == p.Process {
			sp.proc = nil
		}
	}
	s.costs.look(p.Process)
	p.close()
	s.trends.leave(pid)
	delete(s.procs, pid)
}

// born opens a child that came under trace.
func (s *Session) born(ev *event.Event) {
	if p, err := procfs.Open(ev.PID); err == nil { // it may be gone already
		s.enter(p, event.PID(ev.Ret), ev.Space, true)
	}
}

// executed follows a process into its new space and reads the map at once,
// before the program has got far.
func (s *Session) executed(ev *event.Event) {
	s.add(ev)
	p := s.procs[ev.PID]
	if p == nil {
		return
	}
	var parent event.PID
	if t := s.trace.Tracker().Processes()[ev.PID]; t != nil {
		parent = t.Parent
	}
	s.enter(p.Process, parent, ev.Space, p.own)
	s.readMap(s.space(ev.Space), 0)
	s.sampleProcess(ev.PID)
	if s.cfg.OnExec != nil {
		s.cfg.OnExec(ev.PID)
	}
}

// drain applies events until the reading of the space's map that was begun at the
// given time has been compared, or for at most the given time.
func (s *Session) drain(id event.SpaceID, begun event.Time, limit time.Duration) bool {
	return s.applyUntil(limit, func() bool { return s.trace.Settled(id, begun) })
}

// slack is how much later than its place in the ring a record may read the
// clock, in ns.
const slack event.Time = 2e6

// drainRing applies what is in the ring by now, or what comes within the given
// time. A ring that has little to tell says what time it is.
func (s *Session) drainRing(limit time.Duration) bool {
	goal := now() + slack
	return s.applyUntil(limit, func() bool { return s.clock >= goal })
}

// applyUntil applies events until done says so, or for at most the given time.
func (s *Session) applyUntil(limit time.Duration, done func() bool) bool {
	s.finishReadings()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		select {
		case batch, ok := <-s.reader.full:
			if !ok {
				return false
			}
			s.handleAll(batch)
		case <-timer.C:
			return false
		}
	}
	return true
}
