package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// doubt notes a change with an unknown effect and asks for a reading. That of a
// change which an adopted map may hold already shows in the next page count, too.
func (sp *Space) doubt(ev *event.Event, page uint64) {
	if sp.doubtful == nil {
		sp.doubtful = interval.NewMap[struct{}]()
	}
	for _, r := range ev.Touches(page) {
		if r.Empty() { // an attachment of unknown extent
			r.End = ^uint64(0)
		}
		sp.doubtful.Set(r, struct{}{})
	}
	if !sp.known || sp.fresh || ev.Seq != 0 && ev.Seq <= sp.settleUntil {
		sp.want(First)
		return
	}
	sp.want(Doubt)
}

// replays reports whether ev is applied over a map that may hold it already,
// though what it does depends on the map before: which pieces move.
func (sp *Space) replays(ev *event.Event) bool {
	if !sp.known || ev.Seq == 0 || ev.Seq > sp.settleUntil || ev.Failed() {
		return false
	}
	return ev.Kind == event.Mremap && ev.Args[3]&event.RemapFixed != 0 && ev.Args[1] == ev.Args[2]
}

// trust takes the ranges of a change with a known effect out of doubt. When
// nothing is left in doubt, no reading is needed.
func (sp *Space) trust(ev *event.Event, page uint64) {
	if sp.doubtful == nil || ev.Failed() || ev.Kind == event.Shmdt || ev.Kind == event.IoDestroy {
		return
	}
	from, to := ev.Unmapped(page), ev.Mapped(page)
	if ev.Kind == event.Mremap && from.Len() == to.Len() {
		sp.trustMove(from, to.Start, ev.Moves())
	} else {
		moved := ev.Kind == event.Mremap && covered(sp.doubtful, from) > 0
		sp.doubtful.Remove(from)
		sp.doubtful.Remove(to)
		if moved {
			sp.doubtful.Set(to, struct{}{})
		}
	}
	if sp.doubtful.Len() > 0 {
		return
	}
	sp.doubtful = nil
	if sp.wants == Doubt {
		sp.wants = Nothing
	}
}

// trustMove takes along the doubts about what is moved. Under a gap the
// destination is as it was.
func (sp *Space) trustMove(from interval.Range, start uint64, gone bool) {
	shift := func(r interval.Range) interval.Range {
		return interval.Range{Start: r.Start - from.Start + start, End: r.End - from.Start + start}
	}
	var doubts []interval.Range
	for e := range sp.doubtful.Over(from) {
		doubts = append(doubts, shift(e.Intersect(from)))
	}
	for e := range sp.Live.Over(from) {
		sp.doubtful.Remove(shift(e.Intersect(from)))
	}
	if gone {
		sp.doubtful.Remove(from)
	}
	for _, r := range doubts {
		sp.doubtful.Set(r, struct{}{})
	}
}

// doubted returns what a reading says nothing new about: ranges in motion, and
// those whose content was in doubt.
func (sp *Space) doubted(moving *interval.Map[struct{}]) *interval.Map[struct{}] {
	if sp.doubtful == nil {
		return moving
	}
	m := interval.NewMap[struct{}]()
	for e := range moving.All() {
		m.Set(e.Range, struct{}{})
	}
	for e := range sp.doubtful.All() {
		m.Set(e.Range, struct{}{})
	}
	return m
}

// stayInDoubt leaves in doubt what a reading could not show because it is in
// motion; all, if it is unclear what that is.
func (sp *Space) stayInDoubt(moving *interval.Map[struct{}], unclear bool) {
	why := Doubt
	if sp.fresh {
		why = First
	}
	if unclear {
		sp.want(why)
		return
	}
	rest := interval.NewMap[struct{}]()
	for e := range sp.doubtful.All() {
		for m := range moving.Over(e.Range) {
			rest.Set(m.Intersect(e.Range), struct{}{})
		}
	}
	sp.doubtful = nil
	if rest.Len() > 0 {
		sp.doubtful = rest
		sp.want(why)
	}
}

// inherit takes over what is in doubt in the space that sp is a copy of.
func (sp *Space) inherit(parent *Space, page uint64) {
	if parent.doubtful != nil {
		sp.doubtful = interval.NewMap[struct{}]()
		for e := range parent.doubtful.All() {
			sp.doubtful.Set(e.Range, struct{}{})
		}
	}
	if parent.open != nil {
		sp.doubt(&event.Event{Kind: parent.open.Kind, Args: parent.open.Args, Ret: parent.open.Ret}, page)
		sp.wants = First
	}
}
