package track_test

import (
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// A reading tells how much of what it has is protected otherwise than was known, so
// that a last reading can be repeated until there is none.
func TestReadingTellsWhatWasReprotected(t *testing.T) {
	const text = `
snapshot
  1000-5000 rw-p
snapshot
  1000-3000 rw-p
  3000-5000 ---p
snapshot
  1000-3000 rw-p
  3000-5000 ---p
`
	want := []uint64{0, 0x2000, 0}
	tr := trace.New(4096)
	r := event.NewReader(strings.NewReader(text), "text")
	for i := 0; r.Scan(); i++ {
		tr.Add(r.Event())
		if got := tr.Tracker().Spaces()[1].Settled.Reprotected; got != want[i] {
			t.Errorf("reading %d: %d bytes, want %d", i, got, want[i])
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
}
