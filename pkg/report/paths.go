package report

import (
	"cmp"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A groups holds the paths while they are gathered.
type groups struct {
	byKey     map[string]*group
	byAccount map[track.AccountKey]*group
}

// A group is a path with what it is judged by.
type group struct {
	Path
	evidence verdict.Evidence
	largest  *track.Mapping // that is left
	left     []left         // the first MaxMappings and some more
}

// A left is a mapping of which something is left, in the space sp.
type left struct {
	sp *track.Space
	m  *track.Mapping
}

// paths groups what was mapped in the window by call path.
func (b *builder) paths(r *Report) {
	g := &groups{make(map[string]*group), make(map[track.AccountKey]*group)}
	share := b.replacements()
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		p := b.path(g, track.AccountKey{Space: sp.ID, Stack: m.Stack, Kind: m.Kind})
		b.count(p, sp, m)
		p.evidence.Births = append(p.evidence.Births, m.Born)
		p.evidence.Returned += share(sp, m)
		if p.largest == nil || m.Len() > p.largest.Len() {
			p.largest = m
		}
	})
	shown := make(map[stack.ID]bool)
	for k := range g.byAccount {
		shown[k.Stack] = true
	}
	r.Unlisted = b.accounts(g, b.unlisted(shown))
	b.commitments(g)
	for _, p := range g.byKey {
		if p.Count == 0 {
			p.Oldest, p.Newest = 0, 0
			r.Released = append(r.Released, p.Path)
			continue
		}
		b.judge(p)
		if s := float64(b.facts.End-b.facts.Begin) / 1e9; s > 0 {
			p.Rate = float64(p.Growth()) / s
		}
		b.finish(p)
		r.Paths = append(r.Paths, p.Path)
	}
	slices.SortFunc(r.Paths, func(x, y Path) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(y.Count, x.Count), strings.Compare(x.ID, y.ID))
	})
	sortReleased(r.Released)
}

// path returns the path to which an account belongs. Several do to one if code
// was loaded anew in between, or if it ran in several processes of one name.
func (b *builder) path(g *groups, k track.AccountKey) *group {
	if p := g.byAccount[k]; p != nil {
		return p
	}
	comm, frames := b.comms[k.Space], b.stackOf(k.Stack)
	key := pathKey(comm, k.Kind, frames)
	p := g.byKey[key]
	if p == nil {
		p = &group{
			Path:     Path{ID: pathID(key), Comm: comm, Call: k.Kind.String(), Frames: frames, Oldest: -1, Newest: -1},
			evidence: verdict.Evidence{Levels: make([]uint64, levelPoints), Open: make([]uint64, levelPoints)},
		}
		g.byKey[key] = p
	}
	g.byAccount[k] = p
	return p
}

// count adds m to its path.
func (b *builder) count(p *group, sp *track.Space, m *track.Mapping) {
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
	if m.Raced {
		b.raced.Add(Amount{m.Live, 1})
	}
	if m.Assumed {
		*b.assumed++
	}
	p.Resident.Add(b.resident[m])
	p.left = append(p.left, left{sp, m})
	if len(p.left) == 2*MaxMappings { // of a million only those that are shown are kept
		b.first(p)
	}
}

func (b *builder) mapping(sp *track.Space, m *track.Mapping) Mapping {
	return Mapping{PID: b.pids[sp.ID], Start: m.Start, End: m.End, Live: m.Live, Age: b.age(m.Born),
		Kind: memoryKind(m), File: m.Path, Resident: b.resident[m]}
}

// memoryKind says what memory m is of.
func memoryKind(m *track.Mapping) string {
	switch {
	case m.Shared:
		return "shared"
	case m.File:
		return "file"
	}
	return "anon"
}

// first orders and bounds what is left of a path, as its Mappings are.
func (b *builder) first(p *group) {
	slices.SortFunc(p.left, func(x, y left) int {
		return cmp.Or(cmp.Compare(b.pids[x.sp.ID], b.pids[y.sp.ID]), cmp.Compare(x.m.Start, y.m.Start),
			cmp.Compare(x.m.End, y.m.End), cmp.Compare(y.m.Born, x.m.Born))
	})
	p.left = p.left[:min(len(p.left), MaxMappings)]
}

// finish fills in a path's mappings.
func (b *builder) finish(p *group) {
	b.first(p)
	p.Mappings = make([]Mapping, len(p.left))
	for i, l := range p.left {
		p.Mappings[i] = b.mapping(l.sp, l.m)
	}
}

func compareMappings(x, y Mapping) int {
	return cmp.Or(cmp.Compare(x.PID, y.PID), cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End), cmp.Compare(x.Age, y.Age))
}

// pathKey is equal for mappings that belong to one path: the same process name,
// call and places in code. Where code lies that a program made at run time says
// nothing: it differs from run to run, and an engine makes one function anew, in
// other frames, as it learns about it. Its name counts, and any number of frames
// in a row that have none are one place.
func pathKey(comm string, kind event.Kind, frames []stack.Frame) string {
	b := append(strconv.AppendQuote(nil, comm), ' ')
	b = append(b, kind.String()...)
	made := false // the frame before is code that was made at run time
	for i := range frames {
		f := &frames[i]
		if strings.HasPrefix(f.Module, "[anon") {
			if f.Function != "" || !made {
				b = strconv.AppendQuote(append(b, "\n[anon] "...), f.Function)
			}
			made = f.Function == ""
			continue
		}
		made = false
		module := f.BuildID
		if module == "" {
			module = f.Module
		}
		b = strconv.AppendQuote(append(b, '\n'), module)
		b = strconv.AppendUint(append(b, " 0x"...), f.Offset, 16)
		b = strconv.AppendBool(append(b, ' '), f.Inlined)
		b = strconv.AppendQuote(append(b, ' '), inlineName(f))
	}
	return string(b)
}

// inlineName tells functions that were inlined at one place apart.
func inlineName(f *stack.Frame) string {
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
