package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// unknowable are the steps after which the kernel's map has to be read, since no
// event tells what happened, and why.
var unknowable = map[string]string{
	"growsdown-touch":   "a page fault extended the mapping; how far is not told",
	"growsdown-far":     "a page fault extended the mapping; how far is not told",
	"stack-growth":      "a page fault extended the stack; how far is not told",
	"stack-growth-more": "a page fault extended the stack; how far is not told",
	// The next change's page count would tell; at the stop there is none yet.
	"fixed-fails":                 "a failed call left a hole",
	"hugetlb-fixed-fails":         "a failed call left a hole",
	"mremap-fixed-several-sealed": "a failed call moved some of several mappings",
	"mremap-fixed-shrink-sealed":  "a failed call left a hole",
	"mremap-fixed-shrink-several": "a failed call left two holes (before Linux 6.17)",
	"mremap-fixed-crossing":       "a failed call left a hole (before Linux 6.17)",
	"mremap-fixed-several":        "a failed call left a hole (before Linux 6.17)",
	"mremap-fixed-holes":          "a failed call left a hole (before Linux 6.17)",
}

// TestSemantics stops after every rule of what a call does to the map, and
// compares what the events alone predict with the kernel's map.
func TestSemantics(t *testing.T) { semantics(t, ordering) }

func semantics(t *testing.T, o probe.Order) {
	for _, src := range []string{"sem.c", "sem32.c"} {
		t.Run(src, func(t *testing.T) {
			p := testutil.Start(t, testutil.Compile(t, src, "-O2"))
			s := start(t, p.PID(), Config{Follow: true, Order: o})
			w := stepper{t: t, s: s, resting: map[event.PID]int{event.PID(p.PID()): -1}}
			p.Send("go")
			for line := p.ReadLine(); line != "done"; line = p.ReadLine() {
				var pid event.PID
				if _, err := fmt.Sscanf(line, "child %d", &pid); err == nil {
					w.resting[pid] = 2
				}
				if name, ok := strings.CutPrefix(line, "step "); ok {
					w.step(name)
					p.Send("go")
				}
				if strings.HasPrefix(line, "unexpected ") {
					t.Error(line)
				}
			}
			w.finish()
			p.Close()
		})
	}
}

// A stepper compares at the stops of a fixture.
type stepper struct {
	t        *testing.T
	s        *Session
	resting  map[event.PID]int // processes to compare, and for how many steps; -1: for ever
	steps    int
	read     []string // steps after which the map had to be read
	adjusted uint64   // bytes corrected by readings after those steps
}

func (w *stepper) step(name string) {
	w.steps++
	catchUp(w.t, w.s)
	for pid, left := range w.resting {
		if left == 0 {
			delete(w.resting, pid)
			continue
		}
		w.resting[pid] = left - 1
		d := compare(w.t, w.s, pid)
		if d == "" {
			continue
		}
		if unknowable[name] == "" {
			w.t.Errorf("step %s, process %d: %s", name, pid, d)
		}
		w.read = append(w.read, name)
	}
	before := w.s.trace.Tracker().Stats().Corrected
	for id, sp := range w.s.trace.Tracker().Spaces() {
		if !sp.Ended && !sp.Left && (unknowable[name] != "" || w.s.trace.Tracker().Wants()[id] != track.Nothing) {
			w.s.readMap(w.s.space(id), track.Doubt)
		}
	}
	catchUp(w.t, w.s)
	after := w.s.trace.Tracker().Stats().Corrected
	if unknowable[name] != "" {
		w.adjusted += after - before
	} else if after != before {
		w.t.Errorf("step %s: a reading corrected %d bytes", name, after-before)
	}
	for pid := range w.resting {
		if d := compare(w.t, w.s, pid); d != "" {
			w.t.Fatalf("step %s, process %d, after a reading: %s", name, pid, d)
		}
	}
}

func (w *stepper) finish() {
	st := w.s.trace.Tracker().Stats()
	if st.Mismatches != 0 || st.Corrected != w.adjusted || st.Missing+st.Late != 0 || st.Checks == 0 && !byCalls(w.s) {
		w.t.Errorf("%+v, of which corrections of %d bytes were due", st, w.adjusted)
	}
	slices.Sort(w.read)
	w.t.Logf("%d steps, %d page counts compared; the map had to be read after %q", w.steps, st.Checks, w.read)
}
