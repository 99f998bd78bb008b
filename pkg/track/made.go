package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// maxMade bounds the segments of which the maker is remembered.
const maxMade = 1 << 16

// A Made says who made a System V segment: the first call of shmget that returned
// its ID, or a later one that is sure to have made it.
type Made struct {
	PID   event.PID
	Stack stack.ID
	Time  event.Time
}

// Segments returns who made the System V segments that traced processes asked for,
// by ID. It is t's own.
func (t *Tracker) Segments() map[int32]Made { return t.made }

// madeBy notes the maker of a segment.
func (t *Tracker) madeBy(ev *event.Event) {
	if ev.Failed() {
		return
	}
	id := int32(ev.Ret)
	if _, known := t.made[id]; known && ev.Segment(t.page) == 0 || !known && len(t.made) >= maxMade {
		return
	}
	t.made[id] = Made{ev.PID, ev.Stack, ev.Time}
}
