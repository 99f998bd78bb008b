package track

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// The maker of a segment is the first who asked for it, or who is sure to have made
// one anew by the same number.
func TestSegmentsKnowTheirMaker(t *testing.T) {
	const create, exclusive = 0o1000, 0o2000
	tr := New(4096)
	ask := func(pid event.PID, id int64, key, flags uint64, s stack.ID) {
		tr.Apply(&event.Event{Kind: event.ShmGet, PID: pid, Ret: id, Args: [6]uint64{key, 4096, flags}, Stack: s, Time: event.Time(s)})
	}
	ask(1, 5, 0x51, create, 11)
	ask(2, 5, 0x51, 0, 12) // looks it up
	ask(3, 6, 0, create, 13)
	ask(4, 6, 0x52, create|exclusive, 14) // the number was given anew
	ask(5, -28, 0, create, 15)            // failed
	want := map[int32]Made{5: {1, 11, 11}, 6: {4, 14, 14}}
	if diff := cmp.Diff(want, tr.Segments()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
