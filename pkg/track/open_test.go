package track_test

import (
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// A call that fails and leaves a hole is in motion while the map is read. Nothing
// comes after it that would tell, so that the last reading has to be repeated.
func TestOpenCallWantsAnotherReading(t *testing.T) {
	const text = `
snapshot
  1000-9000 rw-p
snapshot from=0 to=1
  1000-3000 rw-p
  5000-9000 rw-p
mmap 0x3000+0x2000 = ENOMEM flags=fixed seq=1 vm=8
snapshot from=0 to=1
  1000-3000 rw-p
  5000-9000 rw-p
`
	type state struct {
		open  bool
		bytes uint64
	}
	want := []state{{false, 0x8000}, {false, 0x8000}, {true, 0x8000}, {false, 0x6000}}
	tr := trace.New(4096)
	r := event.NewReader(strings.NewReader(text), "text")
	for i := 0; r.Scan(); i++ {
		tr.Add(r.Event())
		sp := tr.Tracker().Spaces()[1]
		if got := (state{sp.Open(), sp.Live.Bytes()}); got != want[i] {
			t.Errorf("after event %d: %+v, want %+v", i, got, want[i])
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
}
