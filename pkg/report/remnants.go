package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/track"
)

// remnants groups mappings of which munmap left a part.
func (b *builder) remnants(r *Report) {
	groups := make(map[string]*Remnant)
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		if m.Short == nil {
			return
		}
		mapped, unmapped := b.stackOf(m.Stack), b.stackOf(m.Short.Stack)
		key := pathKey(b.comms[sp.ID], m.Kind, mapped) + "\nthen\n" + pathKey("", m.Kind, unmapped)
		g := groups[key]
		example := b.mapping(sp, m)
		if g == nil {
			g = &Remnant{Comm: b.comms[sp.ID], MappedAt: mapped, UnmappedAt: unmapped, Owner: ownerOf(m, mapped)}
			groups[key] = g
		}
		if g.Count == 0 || compareMappings(example, g.Example) < 0 {
			g.Example, g.Where = example, where(m)
			g.UnmapStart, g.UnmapEnd = m.Short.Start, m.Short.End
		}
		g.Left += m.Live
		g.Mapped += m.Len()
		g.Count++
	})
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y string) int {
		return cmp.Or(cmp.Compare(groups[y].Left, groups[x].Left), strings.Compare(x, y))
	})
	for _, k := range keys {
		r.Remnants = append(r.Remnants, *groups[k])
	}
}

// where says which part of m is left if one munmap took the rest.
func where(m *track.Mapping) string {
	cut := m.Short.Range
	switch {
	case m.Live+cut.Len() != m.Len():
		return "parts"
	case cut.Start == m.Start:
		return "tail"
	case cut.End == m.End:
		return "head"
	}
	return "parts"
}
