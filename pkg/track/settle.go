package track

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Settle compares the live map with a reading of the kernel's and adopts the
// kernel's. What differs outside the ranges in motion is counted; the changes
// in motion come as events afterwards, which makes the map right: each says what
// its pages are, whatever they were. If nothing is missing before them, their
// ranges are left as they are, so that a part that goes is known to have gone.
func (t *Tracker) Settle(snap *event.Event, motion []interval.Range) {
	t.tick(snap.Time)
	sp := t.space(snap.Space)
	sp.lost = max(sp.lost, snap.Lost)
	if snap.Marks&event.Unreadable != 0 {
		sp.wants = Nothing
		return
	}
	sp.Newest = Count{len(snap.Regions), snap.Time}
	if sp.First.N == 0 {
		sp.First = sp.Newest
	}
	sp.again = !sp.known || sp.fresh       // what a child did not get was not given back
	if sp.open != nil && len(motion) > 0 { // the next page count tells
		motion = append(slices.Clip(motion), sp.open.Touches(t.page)...)
	}
	moving, unclear := inMotion(sp, motion)
	if moving.Len() == 0 && !unclear {
		t.resolveByMap(sp, snap.Regions)
	}
	c := Comparison{Done: true, Time: snap.Time, Live: sp.Live.Bytes(), Moving: len(motion) > 0}
	extra, missing, protections := diff(sp.Live, snap.Regions)
	doubted := sp.doubted(moving)
	for _, p := range protections {
		c.Reprotected += p.Len()
	}
	keep := sp.known && !sp.broken
	if !keep {
		t.dropAll(sp)
	}
	for _, r := range extra {
		rest := outside(r, moving)
		c.Extra += sum(outside(r, doubted))
		if !keep {
			rest = []interval.Range{r}
		}
		for _, part := range rest {
			t.release(sp, sp.Live.Remove(part), nil)
		}
	}
	for _, g := range missing {
		growth := sp.grown && g.Start == g.region.Start // a stack; what it belongs to may be in motion
		rest := outside(g.Range, moving)
		if !keep {
			rest = []interval.Range{g.Range}
		}
		for _, part := range rest {
			if !t.adopt(sp, gap{part, g.region}, snap.Time) && sp.known && !growth {
				c.Unexplained += sum(outside(part, doubted))
			}
		}
	}
	if !keep {
		t.believe(sp, protections, interval.NewMap[struct{}]())
	} else {
		t.believe(sp, protections, moving)
	}
	c.Agreed = c.Live - c.Extra
	if sp.known {
		sp.Settled = c
		if !sp.fresh {
			t.stats.Corrected += c.Extra + c.Unexplained
		}
		if sp.wants > Growth {
			t.stats.Resyncs++
		}
	} else {
		for i := range snap.Regions {
			sp.Before += snap.Regions[i].Len()
		}
	}
	if sp.lossy {
		t.doubtAll(sp)
		sp.Exact = snap.Time
	}
	sp.wants, sp.other, sp.grown = Nothing, false, false
	if moving.Len() == 0 && !unclear || !keep {
		sp.doubtful = nil
	} else if sp.doubtful != nil {
		sp.stayInDoubt(moving, unclear)
	}
	sp.fresh = (moving.Len() > 0 || unclear) && (sp.fresh || !keep) || sp.broken
	if !keep {
		sp.settleUntil = snap.To
	}
	sp.known, sp.broken, sp.lossy = true, false, false
}

// inMotion returns what the given ranges cover; an empty one stands for the
// attachment at its address. unclear says that there was none.
func inMotion(sp *Space, motion []interval.Range) (m *interval.Map[struct{}], unclear bool) {
	m = interval.NewMap[struct{}]()
	for _, r := range motion {
		if !r.Empty() {
			m.Set(r, struct{}{})
			continue
		}
		found := false
		for e := range sp.Live.Over(interval.Range{Start: r.Start, End: ^uint64(0)}) {
			if e.Value.Base == r.Start || e.Contains(r.Start) {
				m.Set(e.Range, struct{}{})
				found = true
			}
		}
		unclear = unclear || !found
	}
	return m, unclear
}

// doubtAll marks every mapping: a lost event could have replaced it by another
// of the same place.
func (t *Tracker) doubtAll(sp *Space) {
	for e := range sp.Live.All() {
		e.Value.Uncertain = true
	}
}

// outside returns the parts of r that are not in motion.
func outside(r interval.Range, moving *interval.Map[struct{}]) []interval.Range {
	var out []interval.Range
	for e := range moving.Over(r) {
		if e.Start > r.Start {
			out = append(out, interval.Range{Start: r.Start, End: e.Start})
		}
		r.Start = e.End
	}
	if !r.Empty() {
		out = append(out, r)
	}
	return out
}

// sum returns how many bytes rs have together.
func sum(rs []interval.Range) uint64 {
	var n uint64
	for _, r := range rs {
		n += r.Len()
	}
	return n
}

// adopt adds a part of a kernel region that the live map lacks. It returns
// false if nothing explains it.
func (t *Tracker) adopt(sp *Space, g gap, now event.Time) bool {
	if e, ok := sp.grower(g); ok {
		m := e.Value.Mapping
		m.Start = min(m.Start, g.Start)
		m.Live += g.Len()
		if m.Origin == Observed {
			t.stats.Mapped += g.Len()
			a := t.account(sp, m)
			a.Mapped += g.Len()
			if e.Value.Closed {
				a.Closed += g.Len()
			}
		}
		r := g.Range
		if e.Start == g.End { // one piece
			r.End = e.End
		}
		sp.Live.Set(r, e.Value)
		return true
	}
	reg := g.region
	m := &Mapping{
		Range: g.Range, Live: g.Len(), Born: now, Kind: event.Mmap, Space: sp.ID,
		Origin: Found, Prot: reg.Prot, Shared: reg.Shared, File: reg.Inode != 0,
		Path: reg.Path, Grows: reg.Path == "[stack]",
	}
	if !sp.known {
		m.Origin = Before
	}
	sp.Live.Set(g.Range, Piece{Mapping: m, Base: reg.Start - reg.Offset, Closed: reg.Prot == 0})
	return !sp.known
}

// grower returns the piece in the same kernel region that has grown down into g,
// if there is one.
func (sp *Space) grower(g gap) (interval.Entry[Piece], bool) {
	if sp.known {
		for e := range sp.Live.Over(interval.Range{Start: g.End, End: g.region.End}) {
			if grows(e.Value.Mapping) || sp.grown && e.Value.Origin != Observed {
				return e, true
			}
		}
	}
	return interval.Entry[Piece]{}, false
}

// grows reports whether the kernel extends m downwards by itself.
func grows(m *Mapping) bool { return m.Grows || m.Path == "[stack]" }

// A gap is a part of a kernel region that the live map lacks.
type gap struct {
	interval.Range
	region *event.Region
}

// diff compares page sets: it returns what live has and the kernel has not, and
// the other way round, and what both have and only one says to be closed. Where
// they agree, mappings learn the name of their file.
func diff(live *interval.Map[Piece], regions []event.Region) (extra []interval.Range, missing []gap, differs []protection) {
	d := differ{regions: regions}
	for e := range live.All() {
		d.piece(e)
	}
	for d.more() {
		d.skip()
	}
	return d.extra, d.missing, d.differs
}

// A differ walks pieces and regions in address order.
type differ struct {
	regions []event.Region
	at      uint64 // how far into regions[0] pieces reach
	extra   []interval.Range
	missing []gap
	differs []protection
}

func (d *differ) more() bool { return len(d.regions) > 0 }

// skip leaves the first region; what no piece reached of it is missing.
func (d *differ) skip() {
	r := &d.regions[0]
	d.lack(max(d.at, r.Start), r.End)
	d.regions = d.regions[1:]
}

func (d *differ) lack(start, end uint64) {
	if start < end {
		d.missing = append(d.missing, gap{interval.Range{Start: start, End: end}, &d.regions[0]})
	}
}

// piece compares one piece with the regions that it overlaps.
func (d *differ) piece(e interval.Entry[Piece]) {
	for d.more() && d.regions[0].End <= e.Start {
		d.skip()
	}
	at := e.Start
	for at < e.End {
		if !d.more() || d.regions[0].Start >= e.End {
			d.extra = append(d.extra, interval.Range{Start: at, End: e.End})
			return
		}
		r := &d.regions[0]
		if at < r.Start {
			d.extra = append(d.extra, interval.Range{Start: at, End: r.Start})
			at = r.Start
		}
		d.lack(max(d.at, r.Start), at)
		name(e.Value.Mapping, r)
		if end := min(e.End, r.End); e.Value.Closed != (r.Prot == 0) {
			d.differs = append(d.differs, protection{interval.Range{Start: at, End: end}, r.Prot == 0})
		}
		at = min(e.End, r.End)
		d.at = at
		if at == r.End {
			d.regions = d.regions[1:]
		}
	}
}

// name lets m learn the path of the file that the kernel shows at its place.
func name(m *Mapping, r *event.Region) {
	if m.Path == "" && m.File && r.Inode != 0 {
		m.Path = r.Path
	}
}
