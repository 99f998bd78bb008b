package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// mprotect opens a range or closes it. PROT_GROWSDOWN and PROT_GROWSUP reach
// further than the call tells; so does a failed call that met a hole, up to there.
// The next reading of the kernel's map shows both.
func (t *Tracker) mprotect(sp *Space, ev *event.Event) {
	const access = uint64(event.ProtRead | event.ProtWrite | event.ProtExec)
	r := interval.Of(ev.Args[0], ev.Args[1]).Align(t.page)
	closed := ev.Args[2]&access == 0
	n := int64(t.protect(sp, r, closed))
	switch {
	case sp.again:
	case closed:
		t.stats.OldOpened -= n
	default:
		t.stats.OldOpened += n
	}
}

// protect makes all of r closed, or none of it, and returns how many bytes of it
// changed that are of mappings from before. Pieces of one mapping that touch
// and are alike become one, so that memory that is opened bit by bit stays in few:
//
//	before:  |  open  |      closed      |
//	r:                |----|
//	after:   |     open    |    closed   |
func (t *Tracker) protect(sp *Space, r interval.Range, closed bool) (old uint64) {
	var differ []interval.Entry[Piece]
	for e := range sp.Live.Over(r) {
		if e.Value.Closed != closed {
			e.Range = e.Intersect(r)
			e.Value.Closed = closed
			differ = append(differ, e)
		}
	}
	for _, e := range differ {
		sp.Live.Set(sp.joined(e), e.Value)
		old += t.shift(sp, e)
	}
	return old
}

// joined returns the range of e with those of its neighbours that are alike.
func (sp *Space) joined(e interval.Entry[Piece]) interval.Range {
	r := e.Range
	if left, ok := sp.Live.Find(r.Start - 1); ok && left.Value == e.Value {
		r.Start = left.Start
	}
	if right, ok := sp.Live.Find(r.End); ok && right.Value == e.Value {
		r.End = right.End
	}
	return r
}

// shift moves the bytes of e, which has become closed or open, in its account. It
// returns how many are of a mapping that has none.
func (t *Tracker) shift(sp *Space, e interval.Entry[Piece]) (old uint64) {
	m := e.Value.Mapping
	if m.Origin != Observed {
		return e.Len()
	}
	a := t.account(sp, m)
	if e.Value.Closed {
		a.Closed += e.Len()
	} else {
		a.Closed -= min(e.Len(), a.Closed)
	}
	a.note(t.now - t.begin)
	return 0
}

// A protection is what the kernel says of a part that live has, too.
type protection struct {
	interval.Range
	closed bool
}

// believe adopts what the kernel says is closed, and what is not, but for ranges
// in motion.
func (t *Tracker) believe(sp *Space, ps []protection, moving *interval.Map[struct{}]) {
	for _, p := range ps {
		for _, part := range outside(p.Range, moving) {
			t.protect(sp, part, p.closed)
		}
	}
}
