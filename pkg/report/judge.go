package report

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// levelPoints is how many levels a path's history has.
const levelPoints = 60

// evidence returns what a path is judged by, new if need be.
func (g *groups) evidence(p *Path) *verdict.Evidence {
	e := g.evidences[p]
	if e == nil {
		e = &verdict.Evidence{Levels: make([]uint64, levelPoints)}
		g.evidences[p] = e
	}
	return e
}

// witness adds what an account saw of a path.
func (b *builder) witness(g *groups, p *Path, a *track.Account) {
	e := g.evidence(p)
	e.Freed.AddAll(&a.Freed)
	start := b.tr.Begin()
	a.Levels(b.facts.Begin-start, b.facts.End-start, e.Levels)
}

// judge passes the verdict on a path of which something is outstanding.
func (b *builder) judge(g *groups, p *Path) {
	e := g.evidence(p)
	e.Begin, e.Window = b.facts.Begin, b.facts.End-b.facts.Begin
	e.Mapped = max(p.MappedCount, uint64(len(e.Births)))
	for i := range e.Births {
		e.Births[i] = min(max(e.Births[i], b.facts.Begin), b.facts.End)
	}
	slices.Sort(e.Births)
	p.Verdict = verdict.Judge(e)
	p.Levels = e.Levels
}

// bornAt notes when a mapping that is left was made.
func (g *groups) bornAt(p *Path, t event.Time) {
	e := g.evidence(p)
	e.Births = append(e.Births, t)
}
