// Package order brings the records of a trace into the order in which the
// changes happened. Records arrive when calls return; the number that each got
// under the write lock of its address space says where it belongs.
package order

import (
	"maps"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A Sink receives events in order.
type Sink interface {
	// Apply takes the next event of a space. The event is valid during the call.
	Apply(ev *event.Event)
	// Settle takes a reading of the kernel's map. It holds all changes up to
	// snapshot.From, and of those up to snapshot.To some; the ranges of the
	// latter, as event.Event.Touches has them, are in motion and come as events
	// afterwards.
	Settle(snapshot *event.Event, motion []interval.Range)
	// Gap says that n changes of a space are missing before the next event. lost
	// says that records of the space are known to be lost; else they may be late.
	Gap(space event.SpaceID, n uint64, lost bool)
}

// Bounds on waiting for a record whose successors are here, in nanoseconds of
// event time and in events. A call may return long after it held the lock
// (MAP_POPULATE, a munmap of gigabytes), so while no loss is known it is waited
// for longer; an event that comes after its place was given up is handed on with
// the mark Late.
const (
	maxWait    event.Time = 5e9
	maxLost    event.Time = 200e6
	maxPending            = 1 << 19
)

// maxFree bounds the copies that are kept for use.
const maxFree = 1024

// Stats counts what a Sequencer met.
type Stats struct {
	Events uint64
	Early  uint64 // had to wait for a predecessor
	Gaps   uint64 // places given up
	Late   uint64 // came after their place was given up
}

// A Sequencer orders events per address space. It is not safe for concurrent
// use.
type Sequencer struct {
	sink   Sink
	page   uint64
	spaces map[event.SpaceID]*queue
	free   []*event.Event // to be used again
	now    event.Time
	stats  Stats
}

// New returns a Sequencer that hands events to sink. The page size is in bytes.
func New(sink Sink, page uint64) *Sequencer {
	return &Sequencer{sink: sink, page: page, spaces: make(map[event.SpaceID]*queue)}
}

// Stats returns the counts so far.
func (s *Sequencer) Stats() Stats { return s.stats }

// Reached reports whether all changes of a space up to number seq have been
// handed on, and with them whatever else has been added for the space.
func (s *Sequencer) Reached(id event.SpaceID, seq uint64) bool {
	q := s.spaces[id]
	return q != nil && !q.blocked && q.next > seq && len(q.snapshots)+len(q.loose)+len(q.forks) == 0
}

// Add takes the next event as it arrived and hands on all that it completes.
// The event is copied if it has to wait; slices in it are kept.
func (s *Sequencer) Add(ev *event.Event) {
	s.stats.Events++
	if ev.Kind == event.Clock {
		s.tick(ev.Time)
		return
	}
	if s.now == 0 || ev.Kind != event.Snapshot && ev.Kind != event.Process { // these do not come in line
		s.now = max(s.now, ev.Time)
	}
	q := s.queue(ev.Space)
	q.lost = max(q.lost, ev.Lost)
	switch {
	case ev.Kind == event.Fork && ev.Parent != ev.Space:
		s.fork(q, ev)
		return
	case ev.Kind == event.Snapshot:
		q.snapshots = append(q.snapshots, s.clone(ev))
		// What it holds may be a long way behind in the ring.
		q.arrived = append(q.arrived, max(s.now, ev.Time))
		if len(q.snapshots) == 1 {
			q.have = q.count()
		}
	case ev.Seq != 0:
		if !s.sequenced(q, ev) {
			return
		}
	case ordered(ev.Kind):
		if q.idle() && ev.After < q.next {
			s.sink.Apply(ev)
			return
		}
		q.loose = append(q.loose, s.clone(ev))
	default:
		s.sink.Apply(ev)
		return
	}
	s.advance(q, false)
}

// tick says that everything up to now has been added: what still misses a
// predecessor may have waited long enough.
func (s *Sequencer) tick(now event.Time) {
	s.now = max(s.now, now)
	for _, id := range slices.Sorted(maps.Keys(s.spaces)) {
		if q := s.spaces[id]; !q.idle() {
			s.advance(q, false)
		}
	}
}

// ordered reports whether an event without a number of its own still has a
// place among those that have one. A descriptor is made before the call that maps it.
func ordered(k event.Kind) bool {
	return k.Call() || k == event.End || k == event.Exit || k == event.Exec || k == event.Open || k == event.Dup
}

// sequenced takes an event with a number. It returns false if that completed
// nothing.
func (s *Sequencer) sequenced(q *queue, ev *event.Event) bool {
	q.newest = max(q.newest, ev.Seq)
	if ev.Seq < q.next {
		s.stats.Late++
		late := *ev
		late.Marks |= event.Late
		s.sink.Apply(&late)
		return false
	}
	if ev.Seq == q.next && q.idle() {
		s.sink.Apply(ev)
		q.next++
		return false
	}
	if ev.Seq > q.next {
		s.stats.Early++
	}
	if _, twice := q.pending[ev.Seq]; !twice && q.wants(ev.Seq) {
		q.have++
	}
	if len(q.pending) == 0 || ev.Seq < q.nearest {
		q.nearest = ev.Seq
	}
	q.pending[ev.Seq] = s.clone(ev)
	return true
}

// fork makes the child wait for its parent to reach the copy.
func (s *Sequencer) fork(child *queue, ev *event.Event) {
	parent := s.queue(ev.Parent)
	child.blocked = true
	parent.forks = append(parent.forks, s.clone(ev))
	s.advance(parent, false)
}

// Flush hands on what waits, in order, and gives up missing places: all of them
// in a space whose map was never read or that ends, else those up to the last
// reading. What came after that reading is handed on as far as nothing is missing;
// the rest belongs to a time after it and is dropped.
func (s *Sequencer) Flush() {
	ids := make([]event.SpaceID, 0, len(s.spaces))
	for id := range s.spaces {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.advance(s.spaces[id], true)
	}
	for _, id := range ids { // children that came before their parents
		s.spaces[id].blocked = false
		s.advance(s.spaces[id], true)
	}
}

// queue returns the queue of a space, new if need be.
func (s *Sequencer) queue(id event.SpaceID) *queue {
	q := s.spaces[id]
	if q == nil {
		q = &queue{id: id, next: 1, pending: make(map[uint64]*event.Event)}
		s.spaces[id] = q
	}
	return q
}

// advance hands on what is complete in q; with force, what is not, too.
func (s *Sequencer) advance(q *queue, force bool) {
	for !q.blocked {
		s.release(q)
		hurry := force && (q.beforeReading() || q.ends())
		if snap := q.due(); snap != nil {
			if !q.complete() && !hurry && !s.tired(q, q.arrived[0]) {
				return
			}
			q.snapshots, q.arrived = q.snapshots[1:], q.arrived[1:]
			q.have = q.count()
			q.read = snap.To + 1
			s.sink.Settle(snap, q.motion(snap, s.page))
			continue
		}
		if ev, ok := q.pending[q.next]; ok {
			delete(q.pending, q.next)
			s.sink.Apply(ev)
			s.recycle(ev)
			q.next++
			continue
		}
		end, since := q.waitsFor()
		if end == 0 || !hurry && !s.tired(q, since) {
			return
		}
		n := end - q.next
		s.stats.Gaps += n
		s.sink.Gap(q.id, n, q.lost > q.given)
		q.next = end
		q.giveUp(n)
	}
}

// tired reports whether what came at the given time has waited long enough.
func (s *Sequencer) tired(q *queue, since event.Time) bool {
	limit := maxWait
	if q.lost > q.given {
		limit = maxLost
	}
	return s.now-since >= limit || len(q.pending) >= maxPending
}

// release hands on what waited for changes that have been applied.
func (s *Sequencer) release(q *queue) {
	for len(q.forks) > 0 && q.forks[0].ParentSeq < q.next {
		ev := q.forks[0]
		q.forks = q.forks[1:]
		s.sink.Apply(ev)
		child := s.queue(ev.Space)
		child.blocked = false
		s.advance(child, false)
	}
	for len(q.loose) > 0 && q.loose[0].After < q.next {
		ev := q.loose[0]
		q.loose = q.loose[1:]
		s.sink.Apply(ev)
	}
}

// clone returns a copy of ev.
func (s *Sequencer) clone(ev *event.Event) *event.Event {
	var c *event.Event
	if n := len(s.free); n > 0 {
		c, s.free = s.free[n-1], s.free[:n-1]
	} else {
		c = new(event.Event)
	}
	*c = *ev
	return c
}

// recycle takes back a copy that has been handed on.
func (s *Sequencer) recycle(ev *event.Event) {
	*ev = event.Event{}
	if len(s.free) < maxFree {
		s.free = append(s.free, ev)
	}
}
