package export

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A group is a sum over paths with one answer.
type group struct {
	paths  []*report.Path // the largest first
	bytes  uint64
	commit report.Commitment
	rate   float64        // bytes per second
	longer event.Time     // a window that should do for those that it was too short for
	owner  *verdict.Owner // of groups.heaps
}

func (g *group) add(p *report.Path) {
	g.paths = append(g.paths, p)
	g.bytes += p.Growth()
	g.commit.Add(p.Commit)
	g.rate += p.Rate
	if !p.Verdict.Enough {
		g.longer = max(g.longer, p.Verdict.Longer)
	}
}

// residence sums how much of the group is in memory.
func (g *group) residence() *report.Residence {
	var sum report.Residence
	for _, p := range g.paths {
		sum.Add(p.Resident)
	}
	return &sum
}

func (g *group) n() uint64 { return uint64(len(g.paths)) }

// groups are the outstanding paths of a report by verdict.
type groups struct {
	leaks, growing     group
	heaps              []*group // growing memory that its owner manages, one an owner, the largest first
	early              group    // young, but the window was too short to tell
	cache, young, once group
	suppressed         group
}

// groupsOf sorts the paths of r. A path without a verdict is one that could not be
// judged yet.
func groupsOf(r *report.Report) *groups {
	g := &groups{}
	for _, p := range byBytes(r.Paths) {
		switch v := &p.Verdict; {
		case v.Kind == verdict.Suppressed:
			g.suppressed.add(p)
		case v.Kind == verdict.Leak:
			g.leaks.add(p)
		case v.Kind == verdict.Growing && p.Owner.Managed:
			g.heap(&p.Owner).add(p)
		case v.Kind == verdict.Growing:
			g.growing.add(p)
		case v.Kind == verdict.Cache:
			g.cache.add(p)
		case v.Kind == verdict.Young && v.Enough:
			g.young.add(p)
		case v.Kind == verdict.Once:
			g.once.add(p)
		default:
			g.early.add(p)
		}
	}
	slices.SortStableFunc(g.heaps, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), strings.Compare(a.owner.Name, b.owner.Name))
	})
	return g
}

// heap returns the group of an owner, new if need be.
func (g *groups) heap(o *verdict.Owner) *group {
	for _, h := range g.heaps {
		if h.owner.Name == o.Name {
			return h
		}
	}
	h := &group{owner: o}
	g.heaps = append(g.heaps, h)
	return h
}

// chief returns the group that the headline is about, nil if nothing grows: the
// worst one.
func (g *groups) chief() *group {
	switch {
	case len(g.leaks.paths) > 0:
		return &g.leaks
	case len(g.growing.paths) > 0:
		return &g.growing
	case len(g.heaps) > 0:
		return g.heaps[0]
	}
	return nil
}

// byBytes returns the paths in the order of the bytes that their verdicts are
// about, the largest first.
func byBytes(paths []report.Path) []*report.Path {
	out := make([]*report.Path, len(paths))
	for i := range paths {
		out[i] = &paths[i]
	}
	slices.SortStableFunc(out, func(a, b *report.Path) int {
		return cmp.Or(cmp.Compare(b.Growth(), a.Growth()), byText(a, b))
	})
	return out
}
