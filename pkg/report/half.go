package report

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// An Amount is bytes in mappings.
type Amount struct{ Bytes, Count uint64 }

// Add adds o.
func (a *Amount) Add(o Amount) {
	a.Bytes += o.Bytes
	a.Count += o.Count
}

// half is the middle of the window in nanoseconds from its begin; 0 if it has no
// length.
func (b *builder) half() event.Time { return max(0, (b.facts.End-b.facts.Begin)/2) }

// halfWay returns what of an account was outstanding in the middle of the window.
// In a space that was gone by then nothing was.
func (b *builder) halfWay(k track.AccountKey, a *track.Account) Amount {
	middle := b.facts.Begin + b.half()
	if sp := b.tr.Spaces()[k.Space]; sp != nil && (sp.Ended || sp.Left) && sp.Gone <= middle {
		return Amount{}
	}
	bytes, count := a.At(middle - b.tr.Begin())
	return Amount{bytes, count}
}

// halves fills in what r says of the middle of the window.
func (b *builder) halves(r *Report) {
	r.HalfTime = b.half()
	for _, list := range [][]Path{r.Paths, r.Released} {
		for i := range list {
			r.Totals.Half.Add(list[i].Half)
		}
	}
	r.Totals.Half.Add(r.Unlisted.Half)
}
