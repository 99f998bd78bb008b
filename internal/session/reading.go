package session

import (
	"errors"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Pauses between readings of one map, so that a target with many doubts is not
// held up by its tracer.
const (
	minPause   = 10 * time.Millisecond
	pauseShare = 20 // times as long as the reading took
)

const (
	// maxReadings bounds the readings that are made at the same time.
	maxReadings = 8
	// maxHeld bounds the events that wait for one reading.
	maxHeld = 1 << 18
	// returnTime bounds how long a reading waits for calls whose mappings it may
	// hold though they have no number yet.
	returnTime = 100 * time.Millisecond
)

// A reading of a space's map. Threads that fight for the target's lock can hold
// it up for a tenth of a second, so it is made beside the events; only those wait
// of which nobody knows whether the reading holds them.
type reading struct {
	space   *space
	why     track.Want
	before  probe.State // of the space
	ev      *event.Event
	started time.Time
	took    time.Duration
	err     error
	held    []event.Event // by arrival
}

// readWanted begins to read the maps that the core wants to see.
func (s *Session) readWanted() {
	for id, why := range s.trace.Tracker().Wants() {
		sp := s.space(id)
		if sp.reading != nil || s.readings >= maxReadings ||
			why != track.First && time.Since(sp.read) <= max(minPause, pauseShare*sp.took) {
			continue
		}
		r := s.beginReading(sp, why)
		sp.reading = r
		s.readings++
		go func() {
			r.read(s.probe)
			s.finished <- r
		}()
	}
}

// readMap reads a space's map and adds it as an event. It returns when that began
// and whether it succeeded.
func (s *Session) readMap(sp *space, why track.Want) (begun event.Time, ok bool) {
	s.finishReading(sp)
	r := s.beginReading(sp, why)
	r.read(s.probe)
	return s.endReading(r)
}

// beginReading returns a reading of which no event has been applied that it may
// lack.
func (s *Session) beginReading(sp *space, why track.Want) *reading {
	r := &reading{space: sp, why: why, started: time.Now()}
	r.ev = &event.Event{Kind: event.Snapshot, Space: sp.id, Time: now()}
	r.before, r.err = s.probe.State(sp.id)
	if r.err == nil {
		r.ev.From, r.err = s.probe.InEffect(sp.id, r.before.Seq)
	}
	return r
}

// read does what may take long. It touches nothing that others do meanwhile.
func (r *reading) read(p *probe.Probe) {
	if r.err == nil {
		r.ev.Regions, r.err = r.space.regions()
	}
	if r.err == nil {
		r.err = p.AwaitReturns(r.space.id, returnTime)
	}
	if r.err == nil {
		var after probe.State
		after, r.err = p.State(r.space.id)
		r.ev.To, r.ev.Lost = after.Seq, after.Lost
	}
	r.took = time.Since(r.started)
}

// endReading adds a reading, and what waited for it.
func (s *Session) endReading(r *reading) (begun event.Time, ok bool) {
	sp := r.space
	sp.read, sp.took = time.Now(), r.took
	if r.err != nil {
		if !errors.Is(r.err, probe.ErrNoSpace) && r.why > track.Growth {
			sp.reopen()
		}
		r.ev.Marks |= event.Unreadable
		r.ev.Regions, r.ev.From, r.ev.To, r.ev.Lost = nil, 0, 0, 0
	} else {
		sp.regionCount = len(r.ev.Regions)
		sp.begin(r.ev.Regions, r.ev.Lost)
		s.updateCode(sp, r.ev.Regions, r.before.CodeChanges)
	}
	s.add(r.ev)
	for i := range r.held {
		s.handle(&r.held[i])
	}
	return r.ev.Time, r.err == nil
}

// arrived takes a reading that was made beside the events.
func (s *Session) arrived(r *reading) {
	r.space.reading = nil
	s.readings--
	s.endReading(r)
}

// finishReading waits for the reading of a space that is under way, if any.
func (s *Session) finishReading(sp *space) {
	for sp.reading != nil {
		s.arrived(<-s.finished)
	}
}

// finishReadings waits for all readings that are under way.
func (s *Session) finishReadings() {
	for s.readings > 0 {
		s.arrived(<-s.finished)
	}
}

// hold reports whether an event has to wait for a reading of its space, and
// keeps it if so.
func (s *Session) hold(ev *event.Event) bool {
	if s.readings == 0 {
		return false
	}
	sp := s.spaces[ev.Space]
	if sp == nil || sp.reading == nil || !sp.reading.concerns(ev) {
		return false
	}
	if len(sp.reading.held) == maxHeld {
		s.finishReading(sp)
		return false
	}
	sp.reading.held = append(sp.reading.held, *ev)
	return true
}

// concerns reports whether an event may be newer than what r reads. Births,
// executions and exits of processes never wait: another process may have the ID by
// then.
func (r *reading) concerns(ev *event.Event) bool {
	switch {
	case ev.Seq > 0:
		return ev.Seq > r.ev.From
	case ev.Kind == event.End:
		return true // the reading uses what is given back then
	case ev.Kind.Call():
		return len(r.held) > 0 || ev.After > r.before.Seq
	}
	return false
}
