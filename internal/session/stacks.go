package session

import (
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/internal/unwind"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// stacks holds, for each captured stack, the places in code that its addresses
// meant when it arrived. Names come later.
type stacks struct {
	captured map[stack.ID]captured
}

// A captured stack is its places, leaf first, and why the walk ended.
type captured struct {
	places []place
	stop   unwind.Stop
}

// A place is one address of a stack.
type place struct {
	symbol.Location
	guessed bool // the frame was found by a frame pointer that nothing vouches for
}

func newStacks() *stacks { return &stacks{captured: make(map[stack.ID]captured)} }

// locate finishes a stack if need be and finds the code that its addresses lie
// in. If code was mapped since the map was last read, that is read first.
func (s *Session) locate(ev *event.Event) {
	sp := s.space(ev.Space)
	if sp.stale || ev.Aux&event.StackCopied != 0 {
		s.refreshCode(sp)
	}
	if ev.Aux&event.StackCopied != 0 {
		s.complete(sp, ev)
	}
	s.stacks.captured[ev.Stack] = captured{s.placesOf(sp, ev.Frames), unwind.Stop(event.StackStop(ev.Aux))}
}

// placesOf takes every address as that behind a call: so is the leaf's, which
// lies behind the system call instruction. What a signal interrupted is not,
// but names are the same but for the first byte of a function.
func (s *Session) placesOf(sp *space, addresses []uint64) []place {
	at := make([]place, len(addresses))
	guessed := false
	for i, pc := range addresses {
		at[i] = place{sp.code.Locate(pc, true), guessed}
		guessed = s.guesses(sp, pc-1)
	}
	return at
}

// guesses reports whether the frame above that of pc can only be guessed.
func (s *Session) guesses(sp *space, pc uint64) bool {
	c, ok := sp.find(pc)
	if !ok || c.Table == nil {
		return true
	}
	x, ok := c.Table.Find(pc - c.Bias)
	return !ok || s.tables.infos.At(x).Kind == unwind.Gap
}

// refreshCode reads the map for its code alone, unless nothing has changed.
func (s *Session) refreshCode(sp *space) {
	s.finishReading(sp)
	state, err := s.probe.State(sp.id)
	if err == nil && sp.installed && !sp.stale && state.CodeChanges == sp.changes {
		return
	}
	regions, rerr := sp.regions()
	if err != nil || rerr != nil {
		s.recall(sp)
		return
	}
	sp.begin(regions, state.Lost)
	s.updateCode(sp, regions, state.CodeChanges)
}

// frames names a stack. One that is not complete ends in a frame that says so.
func (c captured) frames() []stack.Frame {
	var out []stack.Frame
	for _, p := range c.places {
		fs := p.Frames()
		for i := range fs {
			fs[i].Guessed = p.guessed
		}
		out = append(out, fs...)
	}
	switch c.stop {
	case unwind.StopRoot, unwind.StopZero, unwind.StopFPEnd:
		return out
	case unwind.StopMax:
		return append(out, stack.Frame{Function: stack.Truncated})
	}
	return append(out, stack.Frame{Function: stack.Incomplete})
}

// Frames names the stacks with the given IDs, each once.
func (s *Session) Frames(ids []stack.ID) stack.Table {
	t := make(stack.Table, len(ids))
	for _, id := range ids {
		if c, ok := s.stacks.captured[id]; ok {
			t[id] = c.frames()
		}
	}
	return t
}
