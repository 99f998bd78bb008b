package report

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Build makes the report on t at the end of the window. Stacks without an entry
// in frames show as addresses.
func Build(t *trace.Trace, frames stack.Table, f Facts) *Report {
	b := &builder{t: t, tr: t.Tracker(), frames: frames, facts: f}
	r := &Report{Tool: f.Tool, Host: f.Host, Window: f.Window, Overhead: f.Overhead}
	r.Overhead.AssumedMappings = 0
	b.assumed = &r.Overhead.AssumedMappings
	b.spaces()
	b.targetFacts = lookUp(f.Targets, b.tr.Former())
	b.residences()
	b.lazies()
	b.targets(r)
	b.paths(r)
	b.remnants(r)
	b.failures(r)
	b.totals(r)
	b.halves(r)
	b.tail(r)
	b.quality(r)
	b.reside(r)
	b.trend(r)
	r.Cost = costOf(&f)
	r.Caveats = slices.Concat(caveats(r, f.Targets), missing(r, f.Missing), pythonNames(r.Paths), untold(b.tr.Stats().Untold))
	b.files(r)
	return r
}

// A builder gathers a report.
type builder struct {
	t      *trace.Trace
	tr     *track.Tracker
	frames stack.Table
	facts  Facts
	list   []*track.Space // that count, by ID
	counts map[event.SpaceID]bool
	comms  map[event.SpaceID]string
	pids   map[event.SpaceID]event.PID

	resident map[*track.Mapping]Residence
	parts    map[place]Residence       // of pieces that are not all of their mapping, by where they begin
	lazy     map[*track.Mapping]uint64 // bytes in memory until the kernel needs it
	// lazyKnown are the spaces of which lazy tells.
	lazyKnown map[event.SpaceID]bool
	// targetFacts returns what was read about a process, by its ID and its last space.
	targetFacts func(event.PID, event.SpaceID) TargetFacts
	raced       Amount  // outstanding mappings whose owner a race left open
	assumed     *uint64 // counts outstanding mappings whose path was assumed
}

// spaces chooses the address spaces whose mappings are outstanding: those in
// use, and those of targets that ended with the window. Nothing is left of one
// whose processes called execve, or of a child's that ended.
func (b *builder) spaces() {
	b.counts = make(map[event.SpaceID]bool)
	b.comms = make(map[event.SpaceID]string)
	b.pids = make(map[event.SpaceID]event.PID)
	for _, p := range processes(b.tr) {
		sp := b.tr.Spaces()[p.Space]
		if sp == nil {
			continue
		}
		if _, named := b.comms[sp.ID]; !named || p.Parent == 0 {
			b.comms[sp.ID], b.pids[sp.ID] = p.Comm, p.PID
		}
		if sp.Left || sp.Ended && p.Parent != 0 {
			continue
		}
		b.counts[sp.ID] = true
	}
	for id, sp := range b.tr.Spaces() {
		if len(b.tr.Processes()) == 0 && !sp.Ended { // a bare text trace
			b.counts[id] = true
		}
	}
	for id := range b.counts {
		b.list = append(b.list, b.tr.Spaces()[id])
	}
	slices.SortFunc(b.list, func(x, y *track.Space) int { return cmp.Compare(x.ID, y.ID) })
}

// processes returns the processes by ID, and those of one ID by time.
func processes(t *track.Tracker) []*track.Process {
	out := slices.Clone(t.Former())
	for _, p := range t.Processes() {
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(x, y *track.Process) int { return cmp.Compare(x.PID, y.PID) })
	return out
}

// outstanding calls fn for each mapping that was made in the window and is
// still there, with the sum of its live pieces in this space.
func (b *builder) outstanding(fn func(sp *track.Space, m *track.Mapping)) {
	for _, sp := range b.list {
		seen := make(map[*track.Mapping]bool)
		for e := range sp.Live.All() {
			m := e.Value.Mapping
			if !b.outstands(m) {
				continue
			}
			if m.Live != e.Len() { // in pieces: met again
				if seen[m] {
					continue
				}
				seen[m] = true
			}
			fn(sp, m)
		}
	}
}

// outstands reports whether m, of which something is left, was made in the window
// and counts in its space.
func (b *builder) outstands(m *track.Mapping) bool {
	return m.Origin != track.Before && m.Origin != track.Found && !b.elsewhere(m)
}

// elsewhere reports whether an inherited mapping is still there in a parent's
// space, where it counts.
func (b *builder) elsewhere(m *track.Mapping) bool {
	for p := m.From; p != nil; p = p.From {
		if p.Live > 0 && b.counts[p.Space] {
			return true
		}
	}
	return false
}

// stackOf returns the frames of a stack; without a table its bare addresses.
func (b *builder) stackOf(id stack.ID) []stack.Frame {
	if fs, ok := b.frames[id]; ok {
		return fs
	}
	var out []stack.Frame
	for _, pc := range b.t.Stacks()[id].Addresses {
		out = append(out, stack.Frame{Offset: pc})
	}
	return out
}

// age returns how long before the end of the window t was.
func (b *builder) age(t event.Time) event.Time {
	return max(0, b.facts.End-t)
}
