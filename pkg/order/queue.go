package order

import (
	"maps"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A queue holds what one address space has to wait for.
type queue struct {
	id        event.SpaceID
	next      uint64                  // the number expected next
	newest    uint64                  // the highest number that came
	pending   map[uint64]*event.Event // by number, all >= next
	loose     []*event.Event          // without a number, by arrival
	snapshots []*event.Event          // by arrival, which is by From
	arrived   []event.Time            // of snapshots: when they were taken
	forks     []*event.Event          // children to be copied from here
	blocked   bool                    // waits for its own copy
	nearest   uint64                  // the lowest number in pending, or less than next if it is not known
	lost      uint64                  // records lost in the kernel, as events tell
	given     uint64                  // of these, those whose places were given up
	read      uint64                  // number after To of the newest snapshot handed on; 0 if none
	have      uint64                  // of the changes in motion of snapshots[0], how many are here
}

// idle reports whether nothing waits.
func (q *queue) idle() bool {
	return !q.blocked && len(q.pending)+len(q.loose)+len(q.snapshots)+len(q.forks) == 0
}

// beforeReading reports whether places may still be given up at the end.
func (q *queue) beforeReading() bool {
	return q.read == 0 || q.next < q.read || len(q.snapshots) > 0
}

// ends reports whether the end of the space waits.
func (q *queue) ends() bool {
	return slices.ContainsFunc(q.loose, func(ev *event.Event) bool { return ev.Kind == event.End })
}

// due returns the first snapshot if all before it has been handed on.
func (q *queue) due() *event.Event {
	if len(q.snapshots) == 0 || q.snapshots[0].From >= q.next {
		return nil
	}
	return q.snapshots[0]
}

// wants reports whether the change with the given number is in motion in the
// first snapshot.
func (q *queue) wants(seq uint64) bool {
	return len(q.snapshots) > 0 && q.snapshots[0].From < seq && seq <= q.snapshots[0].To
}

// count returns how many changes in motion of the first snapshot are here.
func (q *queue) count() uint64 {
	var n uint64
	for seq := range q.pending {
		if q.wants(seq) {
			n++
		}
	}
	return n
}

// complete reports whether all changes in motion of the first snapshot are here.
func (q *queue) complete() bool {
	snap := q.snapshots[0]
	return snap.To < q.next || q.have >= snap.To-max(snap.From, q.next-1)
}

// waitsFor returns the nearest number at which something could be handed on if
// all before it were given up, and when that came; 0 if nothing waits.
func (q *queue) waitsFor() (end uint64, since event.Time) {
	near := func(seq uint64, at event.Time) {
		if seq > q.next && (end == 0 || seq < end) {
			end, since = seq, at
		}
	}
	if len(q.pending) > 0 {
		q.findNearest()
		near(q.nearest, q.pending[q.nearest].Time)
	}
	if len(q.snapshots) > 0 {
		near(q.snapshots[0].From+1, q.arrived[0])
	}
	if len(q.forks) > 0 {
		near(q.forks[0].ParentSeq+1, q.forks[0].Time)
	}
	if len(q.loose) > 0 {
		near(q.loose[0].After+1, q.loose[0].Time)
	}
	return end, since
}

// giveUp notes that n places have been given up. Those are lost records, as far
// as records are lost; if none is missing any more, so are the others.
func (q *queue) giveUp(n uint64) {
	q.given = min(q.lost, q.given+n)
	if q.next > q.newest || q.newest-q.next+1 == uint64(len(q.pending)) {
		q.given = q.lost
	}
}

// findNearest sets nearest anew after next has passed it. It counts up, since
// gaps are small as a rule.
func (q *queue) findNearest() {
	if q.nearest >= q.next {
		return
	}
	for range q.pending {
		q.nearest = max(q.nearest+1, q.next)
		if _, ok := q.pending[q.nearest]; ok {
			return
		}
	}
	q.nearest = slices.Min(slices.Collect(maps.Keys(q.pending)))
}

// motion returns the ranges that the changes in (From, To] touch, as
// event.Event.Touches has them, in no order.
func (q *queue) motion(snap *event.Event, page uint64) []interval.Range {
	var out []interval.Range
	for seq, ev := range q.pending {
		if seq <= snap.From || seq > snap.To {
			continue
		}
		out = append(out, ev.Touches(page)...)
	}
	return out
}
