package report

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// paths groups outstanding mappings by call path.
func (b *builder) paths(r *Report) {
	groups := make(map[string]*Path)
	members := make(map[string]map[track.AccountKey]bool)
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		frames := b.stackOf(m.Stack)
		key := pathKey(b.comms[sp.ID], m.Kind, frames)
		p := groups[key]
		if p == nil {
			p = &Path{ID: pathID(key), Comm: b.comms[sp.ID], Call: m.Kind.String(), Frames: frames,
				Oldest: -1, Newest: -1}
			groups[key] = p
			members[key] = make(map[track.AccountKey]bool)
		}
		members[key][track.AccountKey{Space: sp.ID, Stack: m.Stack, Kind: m.Kind}] = true
		b.count(p, sp, m)
	})
	for key, p := range groups {
		for k := range members[key] {
			if a := b.tr.Accounts()[k]; a != nil {
				p.MappedBytes += a.Mapped
				p.MappedCount += a.MappedCount
				p.UnmappedBytes += a.Unmapped
			}
		}
		if s := float64(b.facts.End-b.facts.Begin) / 1e9; s > 0 {
			p.Rate = float64(p.Bytes) / s
		}
		finish(p)
		r.Paths = append(r.Paths, *p)
	}
	slices.SortFunc(r.Paths, func(x, y Path) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(y.Count, x.Count), strings.Compare(x.ID, y.ID))
	})
}

// count adds m to its path.
func (b *builder) count(p *Path, sp *track.Space, m *track.Mapping) {
	p.Bytes += m.Live
	p.Count++
	age := b.age(m.Born)
	p.Oldest = max(p.Oldest, age)
	if p.Newest < 0 || age < p.Newest {
		p.Newest = age
	}
	switch {
	case m.File:
		p.File += m.Live
	default:
		p.Anon += m.Live
	}
	if m.Shared {
		p.Shared += m.Live
	}
	if m.Uncertain {
		p.Uncertain++
	}
	p.Mappings = append(p.Mappings, b.mapping(sp, m))
}

func (b *builder) mapping(sp *track.Space, m *track.Mapping) Mapping {
	return Mapping{PID: b.pids[sp.ID], Start: m.Start, End: m.End, Live: m.Live, Age: b.age(m.Born), File: m.Path}
}

// finish orders and bounds a path's mappings.
func finish(p *Path) {
	slices.SortFunc(p.Mappings, compareMappings)
	if len(p.Mappings) > MaxMappings {
		p.Mappings = p.Mappings[:MaxMappings:MaxMappings]
	}
}

func compareMappings(x, y Mapping) int {
	return cmp.Or(cmp.Compare(x.PID, y.PID), cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End), cmp.Compare(x.Age, y.Age))
}

// pathKey is equal for mappings that belong to one path: the same process name,
// call and places in code.
func pathKey(comm string, kind event.Kind, frames []stack.Frame) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%q %s", comm, kind)
	for _, f := range frames {
		module := f.BuildID
		if module == "" {
			module = f.Module
		}
		fmt.Fprintf(&s, "\n%q %#x %t %q", module, f.Offset, f.Inlined, inlineName(f))
	}
	return s.String()
}

// inlineName tells functions that were inlined at one place apart.
func inlineName(f stack.Frame) string {
	if f.Inlined {
		return f.Function
	}
	return ""
}

// pathID hashes a path's key: the same in every run, wherever code was loaded.
func pathID(key string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}
