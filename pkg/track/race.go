package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Where changes are in the order in which calls began and returned, a call that
// takes a place of its own choice (MAP_FIXED and the like) may have changed the map
// before another that it follows here, if both were under way at the same time. The
// map can be read again. Whose the bytes are that are left cannot be told.

// Bounds on what is remembered of calls under way. When a call that maps began is
// not recorded: it was after the call before of its thread had returned, and a call
// that takes longer than maxFlight is none that races.
const (
	maxFlight  = event.Time(1e9) // ns
	maxFlights = 4096            // of one space; beyond, the older half may be forgotten
)

// A flight is the newest call that changed a range by its own choice.
type flight struct {
	until  event.Time // when it had returned, or another that was under way there with it
	placed bool       // it left a mapping there
	hole   bool       // it gave back what nobody had
}

// flights are the calls of a space that may still be under way when another begins.
type flights struct {
	last *interval.Map[flight]
	seen map[event.TID]event.Time // when the newest call of a thread returned
}

// OrderByCalls says that events come in the order in which calls began and
// returned, not in that of the lock. It is for a Tracker that has seen none.
func (t *Tracker) OrderByCalls() { t.byCalls = true }

// A race is what a call meets of others that may have been under way with it.
type race struct {
	met   bool
	owner []interval.Range // of which it is not known who mapped them last
}

// meet returns the race of ev, which is to be applied next, and notes ev for others
// to come.
func (t *Tracker) meet(sp *Space, ev *event.Event) (r race) {
	lifts := ev.Marks&event.Lift != 0
	if !t.byCalls || !ev.Kind.Call() && !lifts {
		return r
	}
	if sp.flights.last == nil {
		sp.flights = flights{interval.NewMap[flight](), make(map[event.TID]event.Time)}
	}
	began := max(sp.flights.seen[ev.TID], ev.Time-maxFlight)
	if !lifts { // its call is still to come
		sp.flights.returned(ev)
	}
	switch {
	case ev.Failed():
	case lifts:
		sp.giveBack(ev, interval.Of(ev.Args[1], ev.Args[2]).Align(t.page))
	case ev.Kind == event.Munmap:
		sp.giveBack(ev, ev.Unmapped(t.page))
	case ev.Kind == event.Mremap && uint64(ev.Ret) == ev.Args[0]: // in place
		from, to := ev.Unmapped(t.page), ev.Mapped(t.page)
		sp.giveBack(ev, interval.Range{Start: to.End, End: from.End})
		r = sp.meets(interval.Range{Start: from.End, End: to.End}, began, false)
	case ev.Kind != event.Brk:
		to, chosen := ev.Mapped(t.page), chooses(ev)
		r = sp.meets(to, began, chosen)
		if chosen {
			sp.flights.note(to, flight{until: ev.Time, placed: true})
		}
	}
	return r
}

// chooses reports whether a call that maps takes a place whatever is there.
func chooses(ev *event.Event) bool {
	switch ev.Kind {
	case event.Mmap:
		return ev.Args[3]&event.MapFixed != 0 && ev.Args[3]&event.MapFixedNoRep == 0
	case event.Shmat:
		return ev.Args[2]&event.ShmRemap != 0
	case event.Mremap:
		return ev.Args[3]&event.RemapFixed != 0
	}
	return false
}

// giveBack notes a call that gives r back from here on: with what is mapped now,
// the holes, too.
func (sp *Space) giveBack(ev *event.Event, r interval.Range) {
	mapped := interval.NewMap[struct{}]()
	for e := range sp.Live.Over(r) {
		mapped.Set(e.Intersect(r), struct{}{})
	}
	sp.flights.note(r, flight{until: ev.Time})
	for _, hole := range outside(r, mapped) {
		sp.flights.note(hole, flight{until: ev.Time, hole: true})
	}
}

// meets returns what a mapping of r by a call that began at the given time or later
// meets. A place that the kernel chose was free: what gave it back made it so, unless
// it found nothing there, and what had taken it by choice, and still has it, came
// behind it.
func (sp *Space) meets(r interval.Range, began event.Time, chosen bool) (met race) {
	for e := range sp.flights.last.Over(r) {
		part, other := e.Intersect(r), e.Value
		switch {
		case other.until <= began:
		case other.placed && (chosen || covered(sp.Live, part) > 0):
			met.met = true
			met.owner = append(met.owner, part)
		case chosen || other.hole:
			met.met = true
		}
	}
	return met
}

// note remembers a call that changed r, and that others are under way there longer.
func (f *flights) note(r interval.Range, call flight) {
	for e := range f.last.Over(r) {
		call.until = max(call.until, e.Value.until)
	}
	if f.last.Len() >= maxFlights {
		f.forget(call.until - maxFlight)
	}
	f.last.Set(r, call)
}

// forget drops the calls that had returned at the given time; all, if that leaves
// too many to look through them often.
func (f *flights) forget(at event.Time) {
	last := f.last
	f.last = interval.NewMap[flight]()
	for e := range last.All() {
		if e.Value.until > at {
			f.last.Set(e.Range, e.Value)
		}
	}
	if f.last.Len() > maxFlights/2 {
		f.last = interval.NewMap[flight]()
	}
}

// returned notes when the newest call of a thread has returned.
func (f *flights) returned(ev *event.Event) {
	if len(f.seen) >= maxFlights { // threads may be gone
		clear(f.seen)
	}
	f.seen[ev.TID] = max(f.seen[ev.TID], ev.Time)
}

// race doubts what ev did, which has been applied, and whose it is now.
func (sp *Space) race(ev *event.Event, r race, page uint64) {
	if !r.met {
		return
	}
	for _, part := range r.owner {
		for e := range sp.Live.Over(part) {
			e.Value.Raced = true
		}
	}
	sp.doubt(ev, page)
}
