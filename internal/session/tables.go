package session

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sort"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/internal/unwind"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// tables holds the unwind tables of all files that are mapped somewhere, each
// once, here and on the kernel side.
type tables struct {
	probe   *probe.Probe
	infos   *unwind.Infos
	sent    int // of infos, how many the kernel side has
	modules map[*symbol.Module]module
	// full counts files that found no room on the kernel side.
	full int
}

// A module is the table of one file; without one its code is walked by frame
// pointers.
type module struct {
	table *unwind.Table
	index uint32
}

// A code is an executable mapping with its table.
type code struct {
	unwind.CodeRange
	table *unwind.Table
}

func newTables(p *probe.Probe) *tables {
	return &tables{probe: p, infos: unwind.NewInfos(), modules: make(map[*symbol.Module]module)}
}

// load makes the tables of the files that are new and hands them over.
func (t *tables) load(regions []symbol.CodeRegion) error {
	var fresh []*symbol.Module
	for _, r := range regions {
		if _, known := t.modules[r.Module]; r.Module != nil && !known {
			t.modules[r.Module] = module{index: unwind.NoModule}
			fresh = append(fresh, r.Module)
		}
	}
	var made []*unwind.Table
	var of []*symbol.Module
	for _, m := range fresh {
		r, size := m.Content()
		if table, err := unwind.Build(r, size, t.infos); err == nil { // else: frame pointers
			made = append(made, table)
			of = append(of, m)
		}
	}
	if len(made) == 0 {
		return nil
	}
	rules := t.infos.From(t.sent)
	if err := t.probe.AddRules(t.sent, rules); err != nil {
		return err
	}
	t.sent += len(rules)
	first, err := t.probe.AddModules(made)
	if err != nil {
		t.full += len(made)
		return err
	}
	for i, m := range of {
		t.modules[m] = module{made[i], first + uint32(i)}
	}
	return nil
}

// codes returns the mappings of a space with their tables. Neighbours without a
// table are joined: generated code comes in many small pieces.
func (t *tables) codes(regions []symbol.CodeRegion) []code {
	var out []code
	for _, r := range regions {
		c := code{CodeRange: unwind.CodeRange{Start: r.Start, End: r.End, Module: unwind.NoModule}}
		if m := t.modules[r.Module]; m.table != nil {
			if bias, ok := m.table.Bias(r.Start, r.Offset); ok {
				c.Bias, c.Module, c.table = bias, m.index, m.table
			}
		}
		if n := len(out); n > 0 && c.table == nil && out[n-1].table == nil && out[n-1].End == c.Start {
			out[n-1].End = c.End
			continue
		}
		out = append(out, c)
	}
	return out
}

// install tells the kernel side where code lies in a space. changes is the
// number of the newest change of code that regions take in.
func (s *Session) install(sp *space, changes uint32) {
	regions := sp.code.Code()
	if err := s.tables.load(regions); err != nil {
		s.note("making unwind tables", err)
	}
	codes := s.tables.codes(regions)
	if sp.installed && changes == sp.changes && slices.Equal(codes, sp.codes) {
		return
	}
	sp.codes = codes
	ranges := make([]unwind.CodeRange, len(codes))
	for i, c := range codes {
		ranges[i] = c.CodeRange
	}
	if err := s.probe.SetCode(sp.id, ranges, changes); err != nil {
		s.note("handing over a list of code", err)
		return
	}
	sp.installed, sp.changes = true, changes
}

// find returns the code that holds pc.
func (sp *space) find(pc uint64) (unwind.Code, bool) {
	i := sort.Search(len(sp.codes), func(i int) bool { return sp.codes[i].Start > pc }) - 1
	if i < 0 || pc >= sp.codes[i].End {
		return unwind.Code{}, false
	}
	return unwind.Code{Table: sp.codes[i].table, Bias: sp.codes[i].Bias}, true
}

// walker returns the model of the kernel side's walk, over a copied stack.
func (s *Session) walker(sp *space, c *event.Copy) unwind.Walker {
	return unwind.Walker{
		Infos: s.tables.infos, ARM: runtime.GOARCH == "arm64", Mask: probe.CodeMask, Find: sp.find,
		Read: func(addr uint64) (uint64, bool) {
			at := addr - unwind.SnapshotBase(c.SP)
			if at > uint64(len(c.Data)) || uint64(len(c.Data))-at < 8 {
				return 0, false
			}
			return binary.LittleEndian.Uint64(c.Data[at:]), true
		},
	}
}

// complete finishes the walk of a stack that came with a copy.
func (s *Session) complete(sp *space, ev *event.Event) {
	c := s.copies[ev.Stack]
	if c == nil {
		return // it was lost
	}
	delete(s.copies, ev.Stack)
	w := s.walker(sp, c)
	state := unwind.State{PC: c.PC, SP: c.SP, FP: c.FP, LR: c.LR, Call: c.Call, Fresh: c.Fresh, Blind: c.Blind}
	out := w.Walk(state, ev.Frames)
	ev.Frames = out.Frames
	ev.Aux = event.StackFlags(uint8(out.Stop), event.StackGuessed(ev.Aux)+out.Guessed, out.Stop == unwind.StopMax)
}
