package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// ofOne reports whether pieces, which are in the order of addresses, are of one
// mapping and make up r.
func ofOne(pieces []interval.Entry[Piece], r interval.Range) bool {
	at := r.Start
	for _, p := range pieces {
		if p.Start != at || p.Value.Mapping != pieces[0].Value.Mapping {
			return false
		}
		at = p.End
	}
	return at == r.End
}

// reservation returns the mapping that a commit laid over m belongs to: m, or
// what m was a commit of if nothing is left of it.
func reservation(m *Mapping) *Mapping {
	if m.Live == 0 && m.Under != nil {
		return m.Under
	}
	return m
}

// Reserves reports whether m was made to reserve address space: without access, or
// with MAP_NORESERVE.
func (m *Mapping) Reserves() bool { return m.NoReserve || m.Kind == event.Mmap && m.Prot == 0 }
