package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// mremap moves, grows, shrinks or doubles mappings (mremap(2); mm/mremap.c).
func (t *Tracker) mremap(sp *Space, ev *event.Event) {
	defer t.drop(sp, ev.TID)
	from, to := ev.Unmapped(t.page), ev.Mapped(t.page)
	if e, ok := sp.source(ev, from.Start); ok && e.Value.Huge != 0 {
		from, to = from.Align(e.Value.Huge), to.Align(e.Value.Huge)
	}
	switch {
	case ev.Args[1] == 0: // a second mapping of the same pages
		e, _ := sp.Live.Find(from.Start)
		t.add(sp, t.born(ev, to).like(e.Value.Mapping), to)
		t.protect(sp, to, e.Value.Closed)
	case !ev.Moves():
		t.leaveBehind(sp, ev, from, to.Start)
	case to.Start == from.Start:
		t.resize(sp, ev, from, to)
	case from.Len() == to.Len():
		t.move(sp, ev, from, to.Start)
	default:
		t.moveAndResize(sp, ev, from, to)
	}
}

// resize shrinks in place, over whatever lies in the tail, or grows in place.
func (t *Tracker) resize(sp *Space, ev *event.Event, from, to interval.Range) {
	if to.End < from.End {
		t.munmap(sp, ev, interval.Range{Start: to.End, End: from.End})
		sp.trim(ev, to.Start)
		return
	}
	t.grow(sp, ev, from, interval.Range{Start: from.End, End: to.End})
}

// trim lets the mapping that the mremap ev has at addr forget what it took from it on purpose.
func (sp *Space) trim(ev *event.Event, addr uint64) {
	if e, ok := sp.source(ev, addr); ok && e.Len() == e.Value.Live {
		e.Value.Range = e.Range
	}
}

// like gives m the nature of the mapping whose pages it has; nil tells nothing.
func (m *Mapping) like(o *Mapping) *Mapping {
	if o != nil {
		m.likeness(o)
	}
	return m
}

// grow gives the pages of r to the mapping that ends where r begins: a mapping
// that mremap made larger stays one, and belongs to the path that made it.
func (t *Tracker) grow(sp *Space, ev *event.Event, from, r interval.Range) {
	if r.Empty() {
		return
	}
	e, ok := sp.Live.Find(r.Start - 1)
	if !ok || !from.Overlaps(e.Range) {
		t.add(sp, t.born(ev, r), r)
		return
	}
	t.replace(sp, sp.Live.Remove(r))
	sp.Live.Set(interval.Range{Start: e.Start, End: r.End}, e.Value)
	m := e.Value.Mapping
	m.Live += r.Len()
	m.End = max(m.End, r.End)
	if m.Origin == Observed {
		t.stats.Mapped += r.Len()
		a := t.account(sp, m)
		a.Mapped += r.Len()
		if e.Value.Closed {
			a.Closed += r.Len()
		}
		a.note(t.now - t.begin)
	}
}

// move takes each piece of from to the same place relative to start. Gaps stay
// gaps: what lies at the destination under one survives.
func (t *Tracker) move(sp *Space, ev *event.Event, from interval.Range, start uint64) {
	delta := start - from.Start
	pieces := t.lifted(sp, ev, from)
	if len(pieces) == 0 {
		r := interval.Of(start, from.Len())
		t.add(sp, t.born(ev, r), r)
		return
	}
	for _, p := range pieces {
		m := p.Value.Mapping
		to := interval.Range{Start: p.Start + delta, End: p.End + delta}
		if m.Live == p.Len() {
			m.Range = interval.Range{Start: m.Start + delta, End: m.End + delta}
		}
		t.replace(sp, sp.Live.Set(to, Piece{m, p.Value.Base + delta, p.Value.Closed}))
	}
}

// leaveBehind does MREMAP_DONTUNMAP: the pages move, and what held them stays
// mapped and empty. Gaps stay gaps, as in a move.
func (t *Tracker) leaveBehind(sp *Space, ev *event.Event, from interval.Range, start uint64) {
	var copies []*Mapping
	var closed []interval.Range
	for e := range sp.Live.Over(from) {
		p := e.Intersect(from)
		r := interval.Range{Start: p.Start - from.Start + start, End: p.End - from.Start + start}
		copies = append(copies, t.born(ev, r).like(e.Value.Mapping))
		if e.Value.Closed {
			closed = append(closed, r)
		}
	}
	if len(copies) == 0 {
		copies = append(copies, t.born(ev, interval.Of(start, from.Len())))
	}
	for _, m := range copies {
		t.add(sp, m, m.Range)
	}
	for _, r := range closed {
		t.protect(sp, r, true)
	}
}

// moveAndResize moves a single mapping to a place of another size. With
// MREMAP_FIXED the whole destination is taken first.
func (t *Tracker) moveAndResize(sp *Space, ev *event.Event, from, to interval.Range) {
	t.replace(sp, sp.Live.Remove(to))
	kept := min(from.Len(), to.Len())
	if kept < from.Len() {
		tail := interval.Range{Start: from.Start + kept, End: from.End}
		t.takeBack(sp, ev, tail, t.lifted(sp, ev, tail))
		sp.trim(ev, from.Start)
	}
	t.move(sp, ev, interval.Of(from.Start, kept), to.Start)
	moved := interval.Of(to.Start, kept)
	t.grow(sp, ev, moved, interval.Range{Start: moved.End, End: to.End})
}
