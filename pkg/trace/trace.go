// Package trace is the one way from events to state, for a live trace, for a
// recording and for a text trace: order, then track.
package trace

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/order"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A Trace takes events as they arrive. It is not safe for concurrent use.
type Trace struct {
	tracker   *track.Tracker
	sequencer *order.Sequencer
	stacks    map[stack.ID]Stack
	settled   map[event.SpaceID]event.Time // of the newest reading handed on
	last      event.Time
}

// A Stack is a call stack as it was captured.
type Stack struct {
	Space     event.SpaceID
	Addresses []uint64 // leaf first
	Flags     uint64   // event.StackCandidate and so on
}

// New returns an empty Trace of a machine with pages of the given size in bytes.
func New(page uint64) *Trace {
	t := &Trace{
		tracker: track.New(page),
		stacks:  make(map[stack.ID]Stack),
		settled: make(map[event.SpaceID]event.Time),
	}
	t.sequencer = order.New(t, page)
	return t
}

// Add takes the next event as it arrived. Slices in it are kept.
func (t *Trace) Add(ev *event.Event) {
	t.last = max(t.last, ev.Time)
	if ev.Kind == event.StackDef {
		t.stacks[ev.Stack] = Stack{ev.Space, ev.Frames, ev.Aux}
		return
	}
	t.sequencer.Add(ev)
}

// Flush applies what waits. What came after the last reading of a space's map
// is applied as far as its order is known.
func (t *Trace) Flush() { t.sequencer.Flush() }

// Tracker returns the state.
func (t *Trace) Tracker() *track.Tracker { return t.tracker }

// Order returns what ordering has met.
func (t *Trace) Order() order.Stats { return t.sequencer.Stats() }

// Stacks returns the captured stacks. They are t's own.
func (t *Trace) Stacks() map[stack.ID]Stack { return t.stacks }

// Last returns the time of the newest event.
func (t *Trace) Last() event.Time { return t.last }

// Settled reports whether a reading of the space's map of the given time or later
// has been compared.
func (t *Trace) Settled(id event.SpaceID, at event.Time) bool { return t.settled[id] >= at }

// Reached reports whether all changes of a space up to number seq have been
// applied, and with them all readings of its map that have been added.
func (t *Trace) Reached(id event.SpaceID, seq uint64) bool { return t.sequencer.Reached(id, seq) }

// Apply implements order.Sink.
func (t *Trace) Apply(ev *event.Event) { t.tracker.Apply(ev) }

// Gap implements order.Sink.
func (t *Trace) Gap(space event.SpaceID, n uint64, lost bool) { t.tracker.Gap(space, n, lost) }

// Settle implements order.Sink.
func (t *Trace) Settle(snap *event.Event, motion []interval.Range) {
	t.settled[snap.Space] = snap.Time
	t.tracker.Settle(snap, motion)
}
