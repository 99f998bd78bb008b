package probe

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/mmtrace/mmtrace/internal/unwind"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// AddRules hands rules over, the first of which has the given index. They must
// be there before the tables that refer to them.
func (p *Probe) AddRules(first int, rules []unwind.Info) error {
	if len(rules) == 0 {
		return nil
	}
	keys := make([]uint32, len(rules))
	values := make([]bpfRule, len(rules))
	for i, r := range rules {
		keys[i] = uint32(first + i)
		values[i] = bpfRule{Kind: uint8(r.Kind), Base: uint8(r.Base), Fp: uint8(r.FP), Link: r.Link,
			Off: r.Off, Off2: r.Off2, FpOff: r.FPOff}
	}
	for i := range keys { // a few hundred at most; batches of arrays came with Linux 5.6, all else needs 5.11
		if err := p.programs.Maps["infos"].Put(keys[i], &values[i]); err != nil {
			return fmt.Errorf("handing over unwind rule %d: %w", keys[i], err)
		}
	}
	return nil
}

// MaxModules is how many tables there can be.
const MaxModules = 1024

// AddModules hands tables over and returns the index of the first; the others
// follow. It fails without effect if there is no room for all.
func (p *Probe) AddModules(tables []*unwind.Table) (first uint32, err error) {
	first = p.modules
	if int(first)+len(tables) > MaxModules {
		return 0, fmt.Errorf("handing over %d unwind tables: %w", len(tables), ErrFull)
	}
	var keys, fds []uint32
	for i, t := range tables {
		m, err := p.newModule(t)
		if err != nil {
			return 0, err
		}
		defer m.Close() // the outer map holds it
		p.tableBytes.Add(BytesOf(m))
		keys = append(keys, first+uint32(i))
		fds = append(fds, uint32(m.FD()))
	}
	outer := p.programs.Maps["modules"]
	if _, err := outer.BatchUpdate(keys, fds, nil); err != nil { // each single update waits for a grace period
		for i, k := range keys {
			if err := outer.Put(k, fds[i]); err != nil {
				return 0, fmt.Errorf("handing over an unwind table: %w", err)
			}
		}
	}
	p.modules += uint32(len(tables))
	return first, nil
}

func (p *Probe) newModule(t *unwind.Table) (*ebpf.Map, error) {
	spec := p.chunks.Copy()
	spec.MaxEntries = uint32(len(t.Chunks()))
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return nil, fmt.Errorf("creating an unwind table: %w", err)
	}
	for i, chunk := range t.Chunks() {
		if err := m.Put(uint32(i), chunk); err != nil {
			m.Close()
			return nil, fmt.Errorf("filling an unwind table: %w", err)
		}
	}
	return m, nil
}

// SetCode replaces the executable mappings of a space, which are in the order of
// addresses. changes is what State returned before they were read. Mappings for
// which there is no room are left out.
func (p *Probe) SetCode(id event.SpaceID, ranges []unwind.CodeRange, changes uint32) error {
	p.lists++
	blocks := unwind.EncodeCode(ranges, uint64(changes), p.lists)
	spec := p.ranges.Copy()
	spec.MaxEntries = uint32(len(blocks))
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return fmt.Errorf("creating a list of code: %w", err)
	}
	defer m.Close() // the outer map holds it
	for i, b := range blocks {
		if err := m.Put(uint32(i), b); err != nil {
			return fmt.Errorf("filling a list of code: %w", err)
		}
	}
	if err := p.programs.Maps["code"].Put(uint32(id), m); err != nil {
		return fmt.Errorf("handing over a list of code: %w", err)
	}
	return nil
}

// DropCode forgets the ranges of a space that has ended.
func (p *Probe) DropCode(id event.SpaceID) {
	_ = p.programs.Maps["code"].Delete(uint32(id)) // there may be none
}
