package symbol

import (
	"cmp"
	"slices"
	"sort"
)

// Limits on a search for an address in ranges that overlap: how many are looked
// at, and how many are returned.
const (
	maxCoverSteps = 4096
	maxCovering   = 16
)

// A span is a range of addresses, [lo, hi), and what it stands for.
type span struct {
	lo, hi uint64
	// reach is the largest hi of this span and all before it.
	reach uint64
	id    uint32
}

// spans are ranges that may overlap. After sort they are in the order of their
// starts.
type spans []span

// add appends [lo, hi) for id. An empty range is left out, and so is one that
// begins at 0: linkers move what they threw away there.
func (s *spans) add(lo, hi uint64, id uint32) {
	if lo != 0 && lo < hi {
		*s = append(*s, span{lo: lo, hi: hi, id: id})
	}
}

// sort prepares s for covering.
func (s spans) sort() {
	slices.SortFunc(s, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi), cmp.Compare(a.id, b.id))
	})
	var reach uint64
	for i := range s {
		reach = max(reach, s[i].hi)
		s[i].reach = reach
	}
}

// covering returns the spans that hold addr, the narrowest first.
func (s spans) covering(addr uint64) []span {
	var out []span
	i := sort.Search(len(s), func(i int) bool { return s[i].lo > addr }) - 1
	for n := 0; i >= 0 && s[i].reach > addr && n < maxCoverSteps && len(out) < maxCovering; i, n = i-1, n+1 {
		if addr < s[i].hi {
			out = append(out, s[i])
		}
	}
	slices.SortStableFunc(out, func(a, b span) int { return cmp.Compare(a.hi-a.lo, b.hi-b.lo) })
	return out
}
