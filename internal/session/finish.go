package session

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Limits of the last reading of a map: it is repeated while it does not agree
// because a change was in flight.
const (
	settleTries = 3
	settleTime  = 30 * time.Second // with a long backlog; what never comes is given up much sooner
)

// Settle ends the window: it reads every live map once more and compares. The
// state is final after it.
func (s *Session) Settle(why Reason) {
	s.facts.End = now()
	done := make(map[event.SpaceID]bool)
	for again := true; again; again = len(s.unsettled(done)) > 0 {
		s.settleAll(done)
		s.trace.Flush() // children that waited for a place of their parents which is lost come forth
	}
	s.facts.Window.Duration = s.facts.End - s.begin
	s.facts.Window.StoppedBy = string(why)
	s.countKernel()
	s.costFacts(true)
	s.measure()          // at once: detaching takes a while
	_ = s.probe.Detach() // Close says it again
}

// measure takes the last sample and looks up what is in memory, and files.
func (s *Session) measure() {
	s.sample()
	s.facts.Trend = s.trends.facts()
	s.countOverhead()
	s.facts.Resident = s.residence()
	s.facts.Files = s.fileFacts()
}

// Interim makes a report on the window so far; tracing goes on.
func (s *Session) Interim() (*report.Report, error) {
	s.facts.End = now()
	s.settleAll(make(map[event.SpaceID]bool))
	s.countKernel()
	s.costFacts(false)
	s.measure()
	frames := s.name()
	f := s.facts
	f.Window.Duration = f.End - s.begin
	f.Window.StoppedBy = "interim"
	return report.Build(s.trace, frames, f), nil
}

// Report makes the final report, with the facts and frames that a recording
// needs to make the same one.
func (s *Session) Report() (*report.Report, report.Facts, stack.Table) {
	frames := s.name()
	return report.Build(s.trace, frames, s.facts), s.facts, frames
}

// name gives the stacks that a report shows their names.
func (s *Session) name() stack.Table {
	s.readPerfMaps()
	frames := s.Frames(report.Stacks(s.trace, &s.facts.Files))
	s.facts.Missing = s.missing()
	s.ownFacts()
	return frames
}

// settleAll reads and compares the map of every space that is in use and not among
// those done, also of those of which it hears only then, and adds them to done.
func (s *Session) settleAll(done map[event.SpaceID]bool) {
	s.drainRing(settleTime) // births, first of all
	if s.countKernel(); s.last.Lost > 0 {
		s.missEnds()
	}
	for {
		spaces := s.unsettled(done)
		for _, sp := range spaces {
			done[sp.ID] = true
			s.settle(sp)
		}
		if len(spaces) == 0 {
			return
		}
		if s.last.Lost > 0 { // births that became known meanwhile may be of the dead
			s.drainRing(settleTime)
			s.missEnds()
		}
	}
}

// unsettled returns the spaces that are in use and not among those done, by ID.
func (s *Session) unsettled(done map[event.SpaceID]bool) []*track.Space {
	var out []*track.Space
	for _, sp := range s.trace.Tracker().Spaces() {
		if !sp.Ended && !sp.Left && !done[sp.ID] {
			out = append(out, sp)
		}
	}
	slices.SortFunc(out, func(a, b *track.Space) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (s *Session) settle(sp *track.Space) {
	for range settleTries {
		begun, ok := s.readMap(s.space(sp.ID), track.Nothing)
		if !ok {
			s.drainRing(settleTime) // it has just ended
			s.missEnd(sp)
			return
		}
		s.drain(sp.ID, begun, settleTime)
		if c := sp.Settled; c.Extra+c.Unexplained+c.Reprotected == 0 && !sp.Open() && s.trace.Tracker().Wants()[sp.ID] == track.Nothing {
			return
		}
	}
}

// missEnds notes the ends of processes whose records are lost.
func (s *Session) missEnds() {
	for pid, t := range s.trace.Tracker().Processes() {
		// One that is not held here was gone when its birth became known.
		if p := s.procs[pid]; !t.Ended && (p == nil || !p.Alive()) {
			s.add(&event.Event{Kind: event.Exit, Space: t.Space, PID: pid, Time: now()})
		}
	}
}

// missEnd notes the end of a space if its record is lost.
func (s *Session) missEnd(sp *track.Space) {
	if _, err := s.probe.State(sp.ID); errors.Is(err, probe.ErrNoSpace) && !sp.Ended {
		s.add(&event.Event{Kind: event.End, Space: sp.ID, Time: now()})
	}
}

// countKernel takes over the kernel side's counters.
func (s *Session) countKernel() {
	c, err := s.probe.Counters()
	if err != nil {
		return // the counters of before stand
	}
	s.last = c
	s.facts.Kernel.Events, s.facts.Kernel.Lost = c.Events, c.Lost
	s.facts.Kernel.Missed, s.facts.Kernel.MapFull = c.Missed, c.MapFull
}

// A Reading is how a window goes, at a glance.
type Reading struct {
	Elapsed     time.Duration
	Calls       uint64 // mapping calls seen
	Unmaps      uint64
	Outstanding int64 // bytes mapped in the window and still mapped
	Lost        uint64
}

// Reading returns how the window goes.
func (s *Session) Reading() Reading {
	st := s.trace.Tracker().Stats()
	if c, err := s.probe.Counters(); err == nil {
		s.last = c
	}
	return Reading{
		Elapsed:     time.Duration(now() - s.begin),
		Calls:       st.Calls[event.Mmap] + st.Calls[event.Mremap] + st.Calls[event.Brk] + st.Calls[event.Shmat],
		Unmaps:      st.Calls[event.Munmap] + st.Calls[event.Shmdt],
		Outstanding: int64(st.Mapped) - int64(st.Unmapped),
		Lost:        s.last.Lost,
	}
}
