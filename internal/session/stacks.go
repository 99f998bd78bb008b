package session

import (
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// stacks holds, for each captured stack, the places in code that its addresses
// meant when it arrived. Names come later.
type stacks struct {
	places map[stack.ID]places
}

type places struct {
	at        []symbol.Location
	candidate bool
}

func newStacks() *stacks { return &stacks{places: make(map[stack.ID]places)} }

// locate finds the code that a stack's addresses lie in. If one lies nowhere,
// the map of the space is read again: code may have been loaded just now.
func (s *Session) locate(ev *event.Event) {
	sp := s.space(ev.Space)
	if sp.stale {
		s.refreshCode(sp)
	}
	at := locate(sp, ev.Frames)
	if !mapped(at) && !sp.stale {
		s.refreshCode(sp)
		at = locate(sp, ev.Frames)
	}
	s.stacks.places[ev.Stack] = places{at, ev.Aux&event.StackCandidate != 0}
}

// refreshCode reads the map for its code alone.
func (s *Session) refreshCode(sp *space) {
	if regions, err := sp.regions(); err == nil {
		s.updateCode(sp, regions)
	}
}

// locate takes every address as that behind a call: so is the leaf's, which lies
// behind the system call instruction.
func locate(sp *space, addresses []uint64) []symbol.Location {
	at := make([]symbol.Location, len(addresses))
	for i, pc := range addresses {
		at[i] = sp.code.Locate(pc, true)
	}
	return at
}

// mapped reports whether the leaf and its caller lie in known memory; what
// frame pointers led to further up may be no code at all.
func mapped(at []symbol.Location) bool {
	for i := range min(2, len(at)) {
		if !at[i].Mapped() {
			return false
		}
	}
	return true
}

// frames names a stack.
func (st *stacks) frames(id stack.ID) []stack.Frame {
	p := st.places[id]
	var out []stack.Frame
	for i, l := range p.at {
		if i == 1 && p.candidate {
			if yes, known := p.at[0].ReturnAtSP(); known && !yes {
				continue // a word that happened to look like a return address
			}
		}
		if i > 0 && !l.Executable() {
			break // the chain of frame pointers has left the code
		}
		out = append(out, l.Frames()...)
	}
	return out
}

// Frames names the stacks with the given IDs, each once.
func (s *Session) Frames(ids []stack.ID) stack.Table {
	t := make(stack.Table, len(ids))
	for _, id := range ids {
		if _, ok := s.stacks.places[id]; ok {
			t[id] = s.stacks.frames(id)
		}
	}
	return t
}
