package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// MaxReleased bounds the stacks behind Report.Released: a program that maps and
// unmaps by more of them is one whose busiest paths are told, and the rest summed
// up.
const MaxReleased = 10000

// An Unlisted sums up the paths beyond MaxReleased. Nothing of them is
// outstanding.
type Unlisted struct {
	Stacks                     uint64
	MappedBytes, UnmappedBytes uint64
	MappedCount                uint64
	Half                       Amount
}

// accounts adds to each path what its accounts hold. Paths without anything
// outstanding are made, except those of the stacks in rest.
func (b *builder) accounts(g *groups, rest map[stack.ID]bool) Unlisted {
	u := Unlisted{Stacks: uint64(len(rest))}
	accounts := b.tr.Accounts()
	for _, k := range slices.SortedFunc(maps.Keys(accounts), compareAccounts) {
		a := accounts[k]
		if rest[k.Stack] {
			u.MappedBytes += a.Mapped
			u.MappedCount += a.MappedCount
			u.UnmappedBytes += a.Unmapped
			u.Half.Add(b.halfWay(k, a))
			continue
		}
		p := b.path(g, k)
		p.MappedBytes += a.Mapped
		p.MappedCount += a.MappedCount
		p.UnmappedBytes += a.Unmapped
		p.Half.Add(b.halfWay(k, a))
		b.witness(p, a)
	}
	return u
}

// unlisted returns the stacks whose mappings are all gone and that are too many
// to be named: all but the MaxReleased that mapped most. Of the stacks in shown
// something is outstanding.
func (b *builder) unlisted(shown map[stack.ID]bool) map[stack.ID]bool {
	gone := b.gone(shown)
	rest := make(map[stack.ID]bool)
	for _, id := range gone[min(len(gone), MaxReleased):] {
		rest[id] = true
	}
	return rest
}

// gone returns the stacks whose mappings are all gone, those that mapped most
// first. What was mapped without a stack needs no name and does not count.
func (b *builder) gone(shown map[stack.ID]bool) []stack.ID {
	sums := make(map[stack.ID]uint64)
	for k, a := range b.tr.Accounts() {
		if k.Stack != stack.None && !shown[k.Stack] {
			sums[k.Stack] += a.Mapped
		}
	}
	return slices.SortedFunc(maps.Keys(sums), func(x, y stack.ID) int {
		return cmp.Or(cmp.Compare(sums[y], sums[x]), cmp.Compare(x, y))
	})
}

func compareAccounts(x, y track.AccountKey) int {
	return cmp.Or(cmp.Compare(x.Space, y.Space), cmp.Compare(x.Stack, y.Stack), cmp.Compare(x.Kind, y.Kind))
}

// sortReleased orders by what was mapped, the most first.
func sortReleased(ps []Path) {
	slices.SortFunc(ps, func(x, y Path) int {
		return cmp.Or(cmp.Compare(y.MappedBytes, x.MappedBytes), cmp.Compare(y.MappedCount, x.MappedCount),
			strings.Compare(x.ID, y.ID))
	})
}
