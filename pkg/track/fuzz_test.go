package track_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A run drives a tracker and a world side by side. Events reach the tracker
// later than the world, as in life.
type run struct {
	t       *testing.T
	tr      *track.Tracker
	now     world
	past    []world    // by number of the change
	seen    [pages]int // when each page was read last
	pending []*event.Event
	lifts   [threads]lift
	log     []string
}

// threads is how many threads move mappings in two steps.
const threads = 2

// do applies one change to the world and queues its event.
func (r *run) do(op, a, b, c byte) {
	id := len(r.past)
	from := int(a) % pages
	n := 1 + int(b)%min(8, pages-from)
	to := int(c) % pages
	k := 1 + int(op>>4)%min(8, pages-to)
	ev := &event.Event{Space: 1, Seq: uint64(id), TotalVM: r.now.count(), Stack: stack.ID(id)}
	addr, length := span(from, 0).Start, uint64(n)*pageSize
	switch op % 8 {
	case 1:
		ev.Kind, ev.Args = event.Mprotect, [6]uint64{addr, length, uint64(op >> 4 & 1)}
		r.now.protect(from, from+n, op>>4&1 == 0)
	case 0:
		ev.Kind, ev.Ret, ev.Args[1], ev.Args[2] = event.Mmap, int64(addr), length, uint64(op>>4&1)
		r.now.fill(from, from+n, id)
		r.now.protect(from, from+n, op>>4&1 == 0)
	case 2, 3:
		ev.Kind, ev.Args[0], ev.Args[1] = event.Munmap, addr, length
		r.now.clear(from, from+n)
	case 4, 5:
		if from != to && span(from, from+n).Overlaps(span(to, to+k)) {
			return
		}
		ev.Kind, ev.Ret = event.Mremap, int64(span(to, 0).Start)
		ev.Args = [6]uint64{addr, length, uint64(k) * pageSize, event.RemapMayMove}
		r.now.remap(from, n, to, k, id)
	case 6:
		ev.Kind, ev.Ret, ev.Aux = event.Shmat, int64(addr), length
		r.now.attach(from, from+n, id)
	case 7:
		ev.Kind, ev.Args[0] = event.Shmdt, addr
		r.now.detach(from)
	}
	r.queue(ev)
}

// queue notes the world after a change and lets its event wait.
func (r *run) queue(ev *event.Event) {
	r.past = append(r.past, r.now)
	r.pending = append(r.pending, ev)
	r.log = append(r.log, string(event.AppendText(nil, ev)))
}

// lift lets a thread begin to move n pages. What it was moving before is gone.
func (r *run) lift(thread, a, b byte) {
	i, from := int(thread)%threads, int(a)%pages
	n := 1 + int(b)%min(8, pages-from)
	at := span(from, from+n)
	ev := &event.Event{Kind: event.Other, Marks: event.Lift, Space: 1, Seq: uint64(len(r.past)), TotalVM: r.now.count(),
		TID: event.TID(1 + i), Args: [6]uint64{0, at.Start, at.Len()}}
	r.lifts[i] = r.now.lift(from, n)
	r.queue(ev)
}

// put lets a thread put down what it has lifted, as k pages.
func (r *run) put(thread, a, b byte) {
	l, to := &r.lifts[int(thread)%threads], int(a)%pages
	k := 1 + int(b)%min(8, pages-to)
	from := span(l.from, l.from+l.n)
	if l.n == 0 || from.Overlaps(span(to, to+k)) {
		return
	}
	id := len(r.past)
	ev := &event.Event{Kind: event.Mremap, Space: 1, Seq: uint64(id), TotalVM: r.now.count(), Stack: stack.ID(id),
		TID: event.TID(1 + int(thread)%threads), Ret: int64(span(to, to).Start),
		Args: [6]uint64{from.Start, from.Len(), uint64(k) * pageSize, event.RemapMayMove}}
	r.now.put(l, to, k, id)
	*l = lift{}
	r.queue(ev)
}

// putAll lets every thread put down what it has lifted, where there is room.
func (r *run) putAll() {
	for i, l := range r.lifts {
		to := 0
		if l.from < 8 {
			to = 16
		}
		r.put(byte(i), byte(to), byte(l.n-1))
	}
}

// read lets the tracker see a reading that ran while the pending changes were
// made: each page as it was at some time between, and no reading before. What
// a detachment takes is not known in advance, so none is among them.
func (r *run) read(seed byte) {
	if slices.ContainsFunc(r.pending, func(ev *event.Event) bool { return ev.Kind == event.Shmdt }) {
		r.deliver()
	}
	now := len(r.past) - 1
	from := now - len(r.pending)
	snap := &event.Event{Kind: event.Snapshot, Space: 1, From: uint64(from), To: uint64(now)}
	snap.Regions = regions(r.past, func(i int) int {
		r.seen[i] = max(r.seen[i], from+(i*i+int(seed))%(now-from+1))
		return r.seen[i]
	})
	var motion []interval.Range
	for _, ev := range r.pending {
		motion = append(motion, ev.Touches(pageSize)...)
	}
	r.log = append(r.log, string(event.AppendText(nil, snap)))
	r.tr.Settle(snap, motion)
}

// unseen changes the world without an event.
func (r *run) unseen(a, b byte) {
	r.deliver()
	from := int(a) % pages
	to := from + 1 + int(b)%min(8, pages-from)
	owner := 0
	if b&0x80 != 0 {
		owner = unknown
	}
	for i := from; i < to; i++ {
		if owner == 0 || r.now.owner[i] == 0 { // a mapping in place of another does not show
			r.now.fill(i, i+1, owner)
		}
	}
	r.past[len(r.past)-1] = r.now
	r.log = append(r.log, fmt.Sprintf("# unseen: %v becomes %d\n", span(from, to), owner))
	r.read(0)
	r.check(pagesOnly)
	r.adopt()
}

// adopt takes the tracker's word for who owns what a reading has changed.
func (r *run) adopt() {
	r.now.owner = owners(r.tr)
	for i := range r.now.closed { // what a reading has found
		if e, ok := r.tr.Spaces()[1].Live.Find(uint64(i) * pageSize); ok {
			r.now.closed[i] = e.Value.Closed
		}
	}
	r.past[len(r.past)-1] = r.now
}

func (r *run) deliver() {
	for _, ev := range r.pending {
		r.tr.Apply(ev)
	}
	r.pending = r.pending[:0]
}

// owners returns what the tracker thinks that each page belongs to.
func owners(tr *track.Tracker) [pages]int {
	var out [pages]int
	for e := range tr.Spaces()[1].Live.All() {
		for i := e.Start / pageSize; i < e.End/pageSize; i++ {
			if out[i] = int(e.Value.Stack); out[i] == 0 {
				out[i] = unknown
			}
		}
	}
	return out
}

const (
	pagesOnly = false
	andOwners = true
)

// check compares the tracker with the world and with itself.
func (r *run) check(ownersToo bool) {
	r.t.Helper()
	got, want := owners(r.tr), r.now.owner
	for i := range pages {
		if (got[i] == 0) != (want[i] == 0) || ownersToo && got[i] != want[i] {
			r.t.Fatalf("page %#x belongs to %d, want %d\n%s", i*pageSize, got[i], want[i], r.log)
		}
	}
	if w := r.tr.Wants(); len(w) != 0 {
		r.t.Fatalf("wants %v\n%s", w, r.log)
	}
	if slices.ContainsFunc(r.lifts[:], func(l lift) bool { return l.n > 0 }) { // and so in no map
		return
	}
	live := make(map[*track.Mapping]uint64)
	var observed uint64
	for e := range r.tr.Spaces()[1].Live.All() {
		live[e.Value.Mapping] += e.Len()
		if e.Value.Origin == track.Observed {
			observed += e.Len()
		}
	}
	for m, n := range live {
		if m.Live != n {
			r.t.Fatalf("%v has %d bytes live, counts %d\n%s", m.Range, n, m.Live, r.log)
		}
	}
	s := r.tr.Stats()
	r.checkClosed(ownersToo)
	if s.Mapped-s.Unmapped != observed {
		r.t.Fatalf("mapped %d, unmapped %d, live %d\n%s", s.Mapped, s.Unmapped, observed, r.log)
	}
	if s.Mismatches != 0 {
		r.t.Fatalf("%d mismatches\n%s", s.Mismatches, r.log)
	}
}

// checkClosed compares which pages are closed, and the sums of accounts.
func (r *run) checkClosed(andPages bool) {
	r.t.Helper()
	var sum uint64
	for e := range r.tr.Spaces()[1].Live.All() {
		if e.Value.Closed && e.Value.Origin == track.Observed {
			sum += e.Len()
		}
		for i := e.Start / pageSize; i < e.End/pageSize; i++ {
			if andPages && e.Value.Closed != r.now.closed[i] {
				r.t.Fatalf("page %#x is closed: %t\n%s", i*pageSize, e.Value.Closed, r.log)
			}
		}
	}
	for _, a := range r.tr.Accounts() {
		sum -= a.Closed
	}
	if sum != 0 {
		r.t.Fatalf("accounts differ by %d closed bytes\n%s", int64(sum), r.log)
	}
}

// FuzzTracker drives a Tracker and an array of page owners and requires them to
// agree, whenever and however torn the kernel's map is read.
func FuzzTracker(f *testing.F) {
	f.Add([]byte{0, 1, 4, 0, 2, 2, 0, 0, 8, 0, 0, 0, 0x40, 1, 3, 20, 10, 0, 0, 0})
	f.Add([]byte{6, 1, 4, 0, 2, 2, 0, 0, 0x3c, 1, 3, 20, 8, 5, 0, 0, 7, 1, 0, 0, 9, 7, 0x83, 0})
	f.Add([]byte{0, 1, 4, 0, 2, 2, 0, 0, 12, 0, 1, 4, 0, 2, 2, 0, 8, 5, 0, 0, 12, 1, 2, 1, 13, 0, 20, 4, 10, 0, 0, 0, 13, 1, 30, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &run{t: t, tr: track.New(pageSize), past: make([]world, 1)}
		r.read(0)
		for op := range slices.Chunk(b[:len(b)/4*4], 4) {
			switch op[0] % 14 {
			case 8:
				r.read(op[1])
			case 9:
				r.unseen(op[1], op[2])
			case 10, 11:
				r.deliver()
				r.check(andOwners)
			case 12:
				r.lift(op[1], op[2], op[3])
			case 13:
				r.put(op[1], op[2], op[3])
			default:
				r.do(op[0]%14%8|op[0]/14<<4, op[1], op[2], op[3])
			}
		}
		r.putAll()
		r.deliver()
		r.check(andOwners)
	})
}
