package track

import (
	"maps"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A lift is what an mremap has taken from its old place and not yet put down.
type lift struct {
	interval.Range
	pieces []interval.Entry[Piece]
}

// maxLifts bounds the calls of one space that have begun: threads may be lost.
const maxLifts = 4096

// lift takes from the live map what the mremap of a thread moves away, as its
// begin tells. Others may use the place before the call has returned.
func (t *Tracker) lift(sp *Space, ev *event.Event) {
	t.drop(sp, ev.TID)
	r := interval.Of(ev.Args[1], ev.Args[2]).Align(t.page)
	if e, ok := sp.Live.Find(r.Start); ok && e.Value.Huge != 0 {
		r = r.Align(e.Value.Huge)
	}
	if r.Empty() || len(sp.lifts) >= maxLifts {
		return
	}
	if sp.lifts == nil {
		sp.lifts = make(map[event.TID]lift)
	}
	pieces := append([]interval.Entry[Piece](nil), sp.Live.Remove(r)...)
	sp.lifts[ev.TID] = lift{r, pieces}
}

// source returns the piece at addr that the mremap ev moves or doubles.
func (sp *Space) source(ev *event.Event, addr uint64) (interval.Entry[Piece], bool) {
	for _, p := range sp.lifts[ev.TID].pieces {
		if p.Contains(addr) {
			return p, true
		}
	}
	return sp.Live.Find(addr)
}

// lifted returns the pieces of from that the mremap ev moves, and takes them from
// where they are: the live map, unless the call's begin did so.
func (t *Tracker) lifted(sp *Space, ev *event.Event, from interval.Range) []interval.Entry[Piece] {
	l, ok := sp.lifts[ev.TID]
	if !ok {
		return append([]interval.Entry[Piece](nil), sp.Live.Remove(from)...)
	}
	var out, rest []interval.Entry[Piece]
	for _, p := range l.pieces {
		if in := p.Intersect(from); !in.Empty() {
			out = append(out, interval.Entry[Piece]{Range: in, Value: p.Value})
		}
		for _, r := range []interval.Range{{Start: p.Start, End: min(p.End, from.Start)}, {Start: max(p.Start, from.End), End: p.End}} {
			if !r.Empty() {
				rest = append(rest, interval.Entry[Piece]{Range: r, Value: p.Value})
			}
		}
	}
	sp.lifts[ev.TID] = lift{l.Range, rest}
	return out
}

// dropAll gives up what calls have lifted whose return may be lost.
func (t *Tracker) dropAll(sp *Space) {
	for _, tid := range slices.Sorted(maps.Keys(sp.lifts)) {
		t.drop(sp, tid)
	}
}

// drop gives up what a thread lifted and did not put down.
func (t *Tracker) drop(sp *Space, tid event.TID) {
	if l, ok := sp.lifts[tid]; ok {
		t.release(sp, l.pieces, nil)
		delete(sp.lifts, tid)
	}
}
