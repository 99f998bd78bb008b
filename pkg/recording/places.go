package recording

import (
	"maps"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// places tell in which file an address of code lies, for a recording that ends
// before its frames. They come from the kernel's maps in the recording: what was
// mapped later than the newest of them is not known.
type places struct {
	code   map[event.SpaceID]*interval.Map[event.Region]
	parent map[event.SpaceID]event.SpaceID
}

func newPlaces() *places {
	return &places{make(map[event.SpaceID]*interval.Map[event.Region]), make(map[event.SpaceID]event.SpaceID)}
}

// note takes over what ev says. A newer map goes before an older one, which stays
// where the newer one has no code: addresses may be from before.
func (p *places) note(ev *event.Event) {
	switch ev.Kind {
	case event.Fork:
		p.parent[ev.Space] = ev.Parent
	case event.Snapshot:
		for _, r := range ev.Regions {
			if r.Prot&event.ProtExec == 0 {
				continue
			}
			if p.code[ev.Space] == nil {
				p.code[ev.Space] = interval.NewMap[event.Region]()
			}
			p.code[ev.Space].Set(r.Range, r)
		}
	}
}

// maxParents bounds how many spaces one goes back; a damaged recording may lead
// in a circle.
const maxParents = 64

// find returns the region of an address in a space, or in those that it is a copy
// of.
func (p *places) find(space event.SpaceID, addr uint64) (event.Region, bool) {
	for range maxParents {
		if m := p.code[space]; m != nil {
			if e, ok := m.Find(addr); ok {
				return e.Value, true
			}
		}
		from, ok := p.parent[space]
		if !ok {
			break
		}
		space = from
	}
	return event.Region{}, false
}

// frame returns the frame of a return address: the byte before it counts.
func (p *places) frame(space event.SpaceID, pc uint64) stack.Frame {
	addr := pc
	if addr > 0 {
		addr--
	}
	r, ok := p.find(space, addr)
	switch {
	case !ok:
		return stack.Frame{Offset: addr}
	case r.Path == "":
		return stack.Frame{Module: "[anon]", Offset: addr}
	case strings.HasPrefix(r.Path, "["):
		return stack.Frame{Module: r.Path, Offset: addr}
	}
	return stack.Frame{Module: strings.TrimSuffix(r.Path, " (deleted)"), Offset: addr - r.Start + r.Offset}
}

// fill returns known, with the places of the stacks that it lacks.
func (p *places) fill(t *trace.Trace, known stack.Table) stack.Table {
	out := maps.Clone(known)
	for id, s := range t.Stacks() {
		if _, ok := out[id]; ok {
			continue
		}
		fs := make([]stack.Frame, len(s.Addresses))
		for i, pc := range s.Addresses {
			fs[i] = p.frame(s.Space, pc)
		}
		out[id] = fs
	}
	return out
}
