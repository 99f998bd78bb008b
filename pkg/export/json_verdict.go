package export

import (
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A jsonJudgement is what is thought of a path, and why.
type jsonJudgement struct {
	Verdict jsonVerdict  `json:"verdict"`
	Levels  []jsonNumber `json:"levels_bytes"`
	Open    []jsonNumber `json:"open_levels_bytes"`
	Owner   jsonOwner    `json:"owner"`
}

type jsonVerdict struct {
	Kind   string     `json:"kind"`
	Of     string     `json:"of"`
	Why    string     `json:"why"`
	Enough bool       `json:"window_was_enough"`
	Longer jsonNumber `json:"longer_window_ns"`
	Swells bool       `json:"swells"`
}

type jsonOwner struct {
	Name    string `json:"name"`
	What    string `json:"what"`
	Advice  string `json:"advice"`
	Managed bool   `json:"managed"`
}

func jsonJudgementOf(p *report.Path) jsonJudgement {
	v := &p.Verdict
	return jsonJudgement{
		Verdict: jsonVerdict{valid(string(v.Kind)), valid(string(v.Of)), valid(v.Why), v.Enough, natural(int64(v.Longer)), v.Swells},
		Levels:  each(p.Levels, func(n *uint64) jsonNumber { return jsonNumber(*n) }),
		Open:    each(p.Open, func(n *uint64) jsonNumber { return jsonNumber(*n) }),
		Owner:   jsonOwnerOf(&p.Owner),
	}
}

func jsonOwnerOf(o *verdict.Owner) jsonOwner {
	return jsonOwner{valid(o.Name), valid(o.What), valid(o.Advice), o.Managed}
}
