package report

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// levelPoints is how many levels a path's history has.
const levelPoints = 60

// witness adds what an account saw of a path.
func (b *builder) witness(p *group, a *track.Account) {
	e := &p.evidence
	e.Freed.AddAll(&a.Freed)
	start := b.tr.Begin()
	a.Levels(b.facts.Begin-start, b.facts.End-start, e.Levels, e.Open)
}

// judge passes the verdict on a path of which something is outstanding.
func (b *builder) judge(p *group) {
	e := &p.evidence
	e.Begin, e.Window = b.facts.Begin, b.facts.End-b.facts.Begin
	e.Tail = b.facts.Tail.Of(e.Window)
	e.Mapped = max(p.MappedCount, uint64(len(e.Births)))
	for i := range e.Births {
		e.Births[i] = min(max(e.Births[i], b.facts.Begin), b.facts.End)
	}
	slices.Sort(e.Births)
	p.Owner = ownerOf(p.largest, p.Frames)
	e.File = p.largest.File
	c := &p.Commit
	e.Matter = verdict.Matter{Bytes: p.Bytes, Closed: c.Closed, ClosedHeld: c.ClosedHeld, Returned: c.Returned,
		Looked: p.Resident.Scanned >= p.Bytes, Held: p.Resident.Present + p.Resident.Swapped, Lazy: c.LazyHeld, LazyUnknown: c.LazyUnknown}
	p.Verdict = verdict.Uncalled(p.Owner.Temper(verdict.Judge(e)), p.Frames)
	p.Levels = e.Levels
	if !slices.Equal(e.Open, e.Levels) {
		p.Open = e.Open
	}
}

// tail notes in r what verdicts leave out.
func (b *builder) tail(r *Report) {
	window := max(0, b.facts.End-b.facts.Begin)
	r.Tail, r.TailSet = verdict.Usual(window), b.facts.Tail.Set
	if r.TailSet {
		r.Tail = max(0, b.facts.Tail.Of(window))
	}
}

// ownerOf returns the owner of what the path of m holds.
func ownerOf(m *track.Mapping, frames []stack.Frame) verdict.Owner {
	return verdict.OwnerOf(&verdict.Holding{
		Frames: frames, Call: m.Kind.String(), Length: m.Len(), Prot: m.Prot, ForStack: m.ForStack, NoReserve: m.NoReserve,
		File: m.File, Path: m.Path,
	})
}

// replacements returns how much of an older mapping went for each that is left:
// as many of its length as are left in its space, or fewer, were taken back.
func (b *builder) replacements() func(*track.Space, *track.Mapping) float64 {
	type key struct {
		space  event.SpaceID
		length uint64
	}
	left := make(map[key]uint64)
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		if sp.Returned[m.Len()] > 0 {
			left[key{sp.ID, m.Len()}]++
		}
	})
	return func(sp *track.Space, m *track.Mapping) float64 {
		n := sp.Returned[m.Len()]
		if n == 0 {
			return 0
		}
		return min(1, float64(n)/float64(left[key{sp.ID, m.Len()}]))
	}
}
