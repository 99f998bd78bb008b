package report

import (
	"github.com/mmtrace/mmtrace/pkg/track"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A Commitment tells address space from memory in what is outstanding. All but
// ReturnedCalls are bytes.
type Commitment struct {
	// Reserved is the address space of reservations: of mappings that were made
	// without access (PROT_NONE) or with MAP_NORESERVE, or of which a part has no
	// access now, and of what was laid over them with MAP_FIXED, which is Overlaid.
	// Committed is what of it may be touched now, and Present what of it is in memory.
	// What is laid over a reservation is reserved by the path that reserved it, and
	// outstanding on the path that laid it.
	Reserved, Committed, Overlaid, Present uint64
	// Closed is how much of what the path itself holds has no access. Of that,
	// ClosedHeld is in memory or in swap all the same: it was touched before.
	Closed, ClosedHeld uint64
	// NoReserve is how much the path holds with access and MAP_NORESERVE: the kernel
	// has promised no memory for it (but with vm.overcommit_memory=2).
	NoReserve uint64
	// Untouched is how much private memory may be touched, and is neither in memory
	// nor in swap, as far as that was looked at.
	Untouched uint64
	// Returned is what madvise gave back while the range stayed mapped; what was
	// written to again and given back again counts each time. ReturnedLazy of it
	// was given with MADV_FREE: RSS counts it until the kernel takes it.
	Returned, ReturnedLazy, ReturnedCalls uint64
	// LazyHeld is how much MADV_FREE gave back that nobody has written to since and
	// that is in memory all the same, until the kernel needs it. LazyUnknown is of
	// ReturnedLazy that of which this is not known.
	LazyHeld, LazyUnknown uint64
}

// Add adds o to c.
func (c *Commitment) Add(o Commitment) {
	c.Reserved += o.Reserved
	c.Committed += o.Committed
	c.Overlaid += o.Overlaid
	c.Present += o.Present
	c.Closed += o.Closed
	c.ClosedHeld += o.ClosedHeld
	c.NoReserve += o.NoReserve
	c.Untouched += o.Untouched
	c.Returned += o.Returned
	c.ReturnedLazy += o.ReturnedLazy
	c.ReturnedCalls += o.ReturnedCalls
	c.LazyHeld += o.LazyHeld
	c.LazyUnknown += o.LazyUnknown
}

// Growth is what the verdict on p is about, in bytes: what it holds, or what it has
// made accessible of that.
func (p *Path) Growth() uint64 {
	if p.Verdict.Of == verdict.Committed {
		return p.Bytes - min(p.Commit.Closed, p.Bytes)
	}
	return p.Bytes
}

// commitments fills in Path.Commit.
func (b *builder) commitments(g *groups) {
	reserves := make(map[*track.Mapping]bool)
	for _, sp := range b.list {
		for e := range sp.Live.All() {
			if m := e.Value.Mapping; b.outstands(m) && (m.Reserves() || e.Value.Closed) {
				reserves[m] = true
			}
		}
	}
	seen := make(map[*track.Mapping]bool)
	for _, sp := range b.list {
		for e := range sp.Live.All() {
			m := e.Value.Mapping
			if !b.outstands(m) {
				continue
			}
			p := g.byAccount[track.AccountKey{Space: sp.ID, Stack: m.Stack, Kind: m.Kind}]
			r := b.residenceOf(sp, e)
			p.Commit.holds(e.Value, e.Len(), r)
			if owner := b.reserver(g, sp, m); owner != nil {
				owner.Commit.Overlaid += e.Len()
				owner.Commit.reserves(e.Value, e.Len(), r)
			} else if reserves[m] {
				p.Commit.reserves(e.Value, e.Len(), r)
			}
			if n := b.tr.Returned(m); n.Calls > 0 && !seen[m] {
				seen[m] = true
				c := Commitment{Returned: n.Bytes, ReturnedLazy: n.Lazy, ReturnedCalls: n.Calls, LazyHeld: b.lazy[m]}
				if !b.lazyKnown[sp.ID] {
					c.LazyUnknown = n.Lazy
				}
				p.Commit.Add(c)
			}
		}
	}
}

// reserver returns the path of the reservation that m was laid over, nil if there
// is none or nothing is left on it.
func (b *builder) reserver(g *groups, sp *track.Space, m *track.Mapping) *Path {
	u := m.Under
	if u == nil || u.Origin != track.Observed || !u.Reserves() {
		return nil
	}
	p := g.byAccount[track.AccountKey{Space: sp.ID, Stack: u.Stack, Kind: u.Kind}]
	if p == nil || p.Count == 0 {
		return nil
	}
	return &p.Path
}

// holds counts n bytes of a piece to the path that holds them; r is what of them is
// in memory.
func (c *Commitment) holds(piece track.Piece, n uint64, r Residence) {
	m := piece.Mapping
	switch {
	case piece.Closed:
		c.Closed += n
		c.ClosedHeld += r.Present + r.Swapped
		return
	case m.NoReserve:
		c.NoReserve += n
	}
	if !m.Shared && !m.File {
		c.Untouched += r.Scanned - min(r.Scanned, r.Present+r.Swapped)
	}
}

// reserves counts n bytes of a piece to the path that reserved them.
func (c *Commitment) reserves(piece track.Piece, n uint64, r Residence) {
	c.Reserved += n
	c.Present += r.Present
	if !piece.Closed {
		c.Committed += n
	}
}
