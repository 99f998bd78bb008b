package order_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/order"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A history is a sequence of changes as they happened, each by one of a few
// threads.
type history struct {
	*rand.Rand
	events []event.Event
	leave  []int             // when each event's call returned
	thread map[event.TID]int // when the thread's newest call returned
	seq    map[event.SpaceID]uint64
}

func newHistory(seed uint64, n, delay int) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 2)), thread: make(map[event.TID]int), seq: make(map[event.SpaceID]uint64)}
	spaces := 1
	for range n {
		if spaces < 4 && h.IntN(40) == 0 {
			spaces++
			parent := event.SpaceID(1 + h.IntN(spaces-1))
			h.add(event.Event{Kind: event.Fork, Space: event.SpaceID(spaces), Parent: parent, ParentSeq: h.seq[parent],
				PID: event.PID(100 + spaces)}, 0)
			continue
		}
		h.change(event.SpaceID(1+h.IntN(spaces)), delay)
	}
	return h
}

// change adds a random change of a space, whose call returns up to delay steps
// later.
func (h *history) change(id event.SpaceID, delay int) {
	h.seq[id]++
	ev := event.Event{
		Space: id, Seq: h.seq[id], Stack: stack.ID(len(h.events) + 1),
		TID: event.TID(uint64(id)*10 + h.Uint64N(4)),
	}
	addr, length := h.Uint64N(60)<<12, (1+h.Uint64N(8))<<12
	switch h.IntN(5) {
	case 0, 1:
		ev.Kind, ev.Ret, ev.Args[1] = event.Mmap, int64(addr), length
	case 2, 3:
		ev.Kind, ev.Args[0], ev.Args[1] = event.Munmap, addr, length
	case 4:
		to := 100<<12 + h.Uint64N(60)<<12
		ev.Kind, ev.Ret = event.Mremap, int64(to)
		ev.Args = [6]uint64{addr, length, length, event.RemapMayMove}
	}
	h.add(ev, h.IntN(delay+1))
}

// add lets ev return after a delay; calls of one thread return one by one.
func (h *history) add(ev event.Event, delay int) {
	at := len(h.events)
	if delay > 0 || ev.Seq != 0 {
		at = max(at+delay, h.thread[ev.TID]+1)
		h.thread[ev.TID] = at
	}
	h.events = append(h.events, ev)
	h.leave = append(h.leave, at)
}

// arrived returns the events by the return of their calls.
func (h *history) arrived() []event.Event {
	index := make([]int, len(h.events))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return h.leave[a] - h.leave[b] })
	out := make([]event.Event, 0, len(index))
	for _, i := range index {
		ev := h.events[i]
		ev.Time = event.Time(h.leave[i])
		out = append(out, ev)
	}
	return out
}

// end returns the live maps after events.
func end(events []event.Event) string {
	tr := track.New(4096)
	s := order.New(tr, 4096)
	for i := range events {
		s.Add(&events[i])
	}
	s.Flush()
	return draw(tr)
}

func draw(tr *track.Tracker) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(tr.Spaces())) {
		fmt.Fprintf(&b, "space %d\n", id)
		for e := range tr.Spaces()[id].Live.All() {
			fmt.Fprintf(&b, "%v %d\n", e.Range, e.Value.Stack)
		}
	}
	return b.String()
}

// FuzzOrder requires that a history ends in the same live maps in whatever order
// its calls return.
func FuzzOrder(f *testing.F) {
	f.Add(uint64(1), uint(100), uint(0))
	f.Add(uint64(2), uint(300), uint(5))
	f.Add(uint64(3), uint(300), uint(100))
	f.Fuzz(func(t *testing.T, seed uint64, n, delay uint) {
		h := newHistory(seed, int(n%500), int(delay%200))
		if diff := cmp.Diff(end(h.events), end(h.arrived())); diff != "" {
			t.Errorf("live maps (-as it happened +as it arrived):\n%s", diff)
		}
	})
}

// FuzzOrderLoss loses events, reads the map at the end and requires the pages to
// be the kernel's.
func FuzzOrderLoss(f *testing.F) {
	f.Add(uint64(1), uint(100), uint(0))
	f.Add(uint64(2), uint(300), uint(50))
	f.Fuzz(func(t *testing.T, seed uint64, n, delay uint) {
		h := newHistory(seed, int(n%500), int(delay%200))
		truth := track.New(4096)
		s := order.New(truth, 4096)
		for i := range h.events {
			s.Add(&h.events[i])
		}
		s.Flush()
		events := slices.DeleteFunc(h.arrived(), func(ev event.Event) bool { return ev.Seq != 0 && h.IntN(10) == 0 })
		for id, sp := range truth.Spaces() {
			snap := event.Event{Kind: event.Snapshot, Space: id, From: h.seq[id], To: h.seq[id], Time: 1e6}
			for e := range sp.Live.All() {
				snap.Regions = append(snap.Regions, event.Region{Range: e.Range})
			}
			events = append(events, snap)
		}
		got := track.New(4096)
		s = order.New(got, 4096)
		for i := range events {
			s.Add(&events[i])
		}
		s.Flush()
		if diff := cmp.Diff(mapped(truth), mapped(got)); diff != "" {
			t.Errorf("pages (-kernel +tracked):\n%s", diff)
		}
	})
}

// mapped returns the mapped ranges of each space, neighbours joined.
func mapped(tr *track.Tracker) map[event.SpaceID][]interval.Range {
	out := make(map[event.SpaceID][]interval.Range)
	for id, sp := range tr.Spaces() {
		var rs []interval.Range
		for e := range sp.Live.All() {
			if n := len(rs); n > 0 && rs[n-1].End == e.Start {
				rs[n-1].End = e.End
				continue
			}
			rs = append(rs, e.Range)
		}
		out[id] = rs
	}
	return out
}
