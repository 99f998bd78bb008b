package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Some calls do not tell what they did: shmat and io_setup not how long the
// mapping is, a failed MAP_FIXED not whether it left a hole. The kernel's page
// count at the next change of the space tells, since nothing can come between.

// leaveOpen notes a call whose effect the next page count tells. It returns
// false if it is no such call.
func (t *Tracker) leaveOpen(sp *Space, ev *event.Event) bool {
	if !sp.known || ev.Seq <= sp.settleUntil || sp.broken || sp.fresh || sp.other || sp.wants >= Doubt {
		return false
	}
	if !unsized(ev) && len(openTargets(ev, t.page)) == 0 {
		return false
	}
	c := *ev
	sp.open = &c
	return true
}

// Open reports whether the newest call in the space is one whose effect the next
// page count, or a reading with nothing in motion, will tell.
func (sp *Space) Open() bool { return sp.open != nil }

// unsized reports whether ev made a mapping whose length is not known.
func unsized(ev *event.Event) bool {
	if ev.Failed() || ev.Aux != 0 {
		return false
	}
	return ev.Kind == event.IoSetup && ev.Args[5] != 0 ||
		ev.Kind == event.Shmat && ev.Args[2]&event.ShmRemap == 0
}

// harmless reports whether a failed call changed nothing, going by what is
// mapped: mremap looks for a mapping at the old address before anything else.
func harmless(sp *Space, ev *event.Event) bool {
	const eFAULT = 14
	if !sp.known || ev.Kind != event.Mremap || ev.Errno() != eFAULT {
		return false
	}
	_, found := sp.Live.Find(ev.Args[0])
	return !found
}

// openTargets returns the ranges that a failed call may have emptied, in this
// order and up to any of them, if that is all that it may have done.
func openTargets(ev *event.Event, page uint64) []interval.Range {
	if !ev.Failed() || ev.Marks&(event.Died|event.Stale|event.Second|event.Unordered) != 0 {
		return nil
	}
	switch ev.Kind {
	case event.Mmap:
		return []interval.Range{interval.Of(ev.Args[0], ev.Args[1]).Align(page)}
	case event.Shmat:
		if ev.Args[2]&event.ShmRemap != 0 && ev.Aux != 0 {
			return []interval.Range{interval.Of(ev.Args[1], ev.Aux).Align(page)}
		}
	case event.Mremap:
		from := interval.Of(ev.Args[0], ev.Args[1]).Align(page)
		to := interval.Of(ev.Args[4], ev.Args[2]).Align(page)
		if from.Len() == to.Len() { // of several mappings that move together (Linux 6.17) some may have moved
			return nil
		}
		if from.Len() < to.Len() {
			return []interval.Range{to}
		}
		return []interval.Range{to, {Start: from.Start + to.Len(), End: from.End}}
	}
	return nil
}

// resolve applies the open call of sp, which changed the kernel's count by
// delta pages.
func (t *Tracker) resolve(sp *Space, delta int64) {
	ev := sp.open
	sp.open = nil
	switch {
	case unsized(ev) && delta > 0:
		ev.Aux = uint64(delta) * t.page
		t.mapped(sp, t.sized(ev))
	case unsized(ev):
		sp.doubt(ev, t.page)
	case delta != 0 && !t.empty(sp, openTargets(ev, t.page), -delta):
		sp.doubt(ev, t.page)
	}
}

// empty removes as many of the ranges as make the given number of pages, and
// reports whether any do.
func (t *Tracker) empty(sp *Space, ranges []interval.Range, pages int64) bool {
	var n uint64
	for i, r := range ranges {
		n += covered(sp.Live, r)
		if int64(n/t.page) != pages {
			continue
		}
		for _, r := range ranges[:i+1] {
			t.release(sp, sp.Live.Remove(r), nil)
		}
		return true
	}
	return false
}

// covered returns how many bytes of r are in m.
func covered[V any](m *interval.Map[V], r interval.Range) uint64 {
	var n uint64
	for e := range m.Over(r) {
		n += e.Intersect(r).Len()
	}
	return n
}

// resolveByMap applies the open call of sp as a reading of the kernel's map shows
// it, with nothing in motion.
func (t *Tracker) resolveByMap(sp *Space, regions []event.Region) {
	ev := sp.open
	if ev == nil {
		return
	}
	sp.open = nil
	if !unsized(ev) {
		extra, _, _ := diff(sp.Live, regions)
		for _, r := range extra {
			for _, target := range openTargets(ev, t.page) {
				t.release(sp, sp.Live.Remove(r.Intersect(target)), nil)
			}
		}
		return
	}
	start := uint64(ev.Ret)
	if ev.Kind == event.IoSetup {
		start = ev.Args[5]
	}
	for i := range regions {
		if regions[i].Start == start {
			ev.Aux = regions[i].Len()
			t.mapped(sp, ev)
			return
		}
	}
}
