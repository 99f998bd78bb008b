package session

import (
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// CatchUp applies every change that any space under trace has seen until now, and
// all other events of before, and reports whether that took less than limit. Of the kernel's maps it reads
// those that were never read, and no others: what it leaves is what the events
// alone say.
//
// A change whose call has not returned is waited for.
func (s *Session) CatchUp(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		goal, err := s.probe.Sequences()
		if err != nil || !s.reach(goal, timer.C) {
			return false
		}
		if !s.read(track.First) {
			return true
		}
	}
}

// ReadWanted reads the maps that the core wants to see, for whatever reason.
// CatchUp applies the readings.
func (s *Session) ReadWanted() {
	for id, why := range s.trace.Tracker().Wants() {
		s.readMap(s.space(id), why)
	}
}

// reach applies events until the given numbers of changes are reached and the ring
// has been read to its end. The end that the reader is about to meet may be one of
// before: the next is not.
func (s *Session) reach(goal map[event.SpaceID]uint64, timeout <-chan time.Time) bool {
	s.finishReadings()
	last := s.reader.rounds.Load() + 2
	for {
		for id, seq := range goal {
			sp := s.trace.Tracker().Spaces()[id]
			if s.trace.Reached(id, seq) || sp != nil && sp.Ended {
				delete(goal, id)
			}
		}
		if len(goal) == 0 && s.reader.rounds.Load() >= last && len(s.reader.full) == 0 {
			return true
		}
		_ = s.probe.Flush() // without it the ring is read a little later
		select {
		case batch, ok := <-s.reader.full:
			if !ok {
				return false
			}
			s.handleAll(batch)
		case <-s.reader.round:
		case <-timeout:
			return false
		}
	}
}

// read reads the maps that are wanted for the given reason, and reports whether
// there were any.
func (s *Session) read(reason track.Want) bool {
	any := false
	for id, why := range s.trace.Tracker().Wants() {
		if why == reason {
			s.readMap(s.space(id), why)
			any = true
		}
	}
	return any
}
