package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// call applies a system call, or the bare taking of the lock.
func (t *Tracker) call(sp *Space, ev *event.Event) {
	if ev.Kind.Call() && ev.Marks&event.More == 0 {
		t.calls[ev.Kind]++
	}
	if ev.Kind == event.Other && ev.Marks&event.Lift != 0 {
		t.lift(sp, ev)
		return
	}
	if t.early(ev) {
		sp.doubt(ev, t.page)
		return
	}
	ev = t.sized(ev)
	switch {
	case ev.Doubtful() && !harmless(sp, ev) && !t.leaveOpen(sp, ev), sp.replays(ev):
		sp.doubt(ev, t.page)
	default:
		sp.trust(ev, t.page)
	}
	if ev.Failed() {
		t.fail(ev)
		if ev.Kind == event.Madvise && ev.Errno() == eNOMEM { // it went on behind holes
			t.madvise(sp, ev)
		}
		return
	}
	if ev.Marks&(event.Died|event.Stale) != 0 {
		return
	}
	switch ev.Kind {
	case event.Mmap, event.ShadowStack, event.Shmat, event.IoSetup:
		t.mapped(sp, ev)
	case event.Munmap:
		t.munmap(sp, ev, ev.Unmapped(t.page))
	case event.Mremap:
		t.mremap(sp, ev)
	case event.Brk:
		t.moveBreak(sp, ev)
	case event.Shmdt:
		t.shmdt(sp, ev)
	case event.IoDestroy:
		if e, ok := sp.Live.Find(ev.Args[0]); ok {
			t.munmap(sp, ev, e.Range)
		}
	case event.Other:
		if int32(ev.Args[0]) < 0 {
			sp.want(Growth) // a page fault that took the lock for writing extends a stack
		}
		sp.other, sp.grown = true, true
	case event.Mprotect:
		t.mprotect(sp, ev)
	case event.Madvise:
		t.madvise(sp, ev)
	case event.End:
		t.end(sp, ev)
	}
}

// early reports whether a call changed the map before its space came under trace
// and returned after that: the first reading has what it did, or will be repeated.
func (t *Tracker) early(ev *event.Event) bool {
	return ev.Seq == 0 && !ev.Failed() && len(ev.Touches(t.page)) > 0
}

// fail counts a failed call with its newest arguments.
func (t *Tracker) fail(ev *event.Event) {
	t.stats.Failed++
	key := FailureKey{ev.Space, ev.Stack, ev.Kind, ev.Errno()}
	f := t.failures[key]
	if f == nil {
		f = &Failure{}
		t.failures[key] = f
	}
	f.Count++
	f.Args, f.Time = ev.Args, ev.Time
}

// mapped adds what a call mapped, in place of what was there.
func (t *Tracker) mapped(sp *Space, ev *event.Event) {
	r := ev.Mapped(t.page)
	if r.Empty() {
		return
	}
	before := t.stats.Overlaid
	t.add(sp, t.born(ev, r), r)
	if t.stats.Overlaid > before && !sp.counted && ev.Kind == event.Mmap && ev.Args[3]&event.MapFixed == 0 {
		sp.doubt(ev, t.page) // the kernel gave a place away: what was there went unseen, maybe with more
	}
}

// born returns the mapping that ev made of r.
func (t *Tracker) born(ev *event.Event, r interval.Range) *Mapping {
	m := &Mapping{Range: r, Born: ev.Time, Stack: ev.Stack, Kind: ev.Kind, Space: ev.Space, Assumed: ev.Marks&event.Assumed != 0}
	switch ev.Kind {
	case event.Mmap:
		m.Prot = event.Prot(ev.Args[2]) & (event.ProtRead | event.ProtWrite | event.ProtExec)
		m.Shared = ev.Args[3]&event.MapShared != 0
		m.Grows = ev.Args[3]&event.MapGrowsDown != 0
		m.ForStack = ev.Args[3]&event.MapStack != 0
		m.NoReserve = ev.Args[3]&event.MapNoReserve != 0
		m.File = ev.Marks&event.File != 0
		if o := t.space(ev.Space).openedAs(ev.PID, int32(ev.Args[4]), ev.Lost); o != nil && m.File && ev.Marks&event.Late == 0 {
			t.openers[m] = o
		}
		if ev.Marks&event.Huge != 0 && ev.Aux&(ev.Aux-1) == 0 {
			m.Huge = ev.Aux
		}
	case event.Shmat:
		m.Shared = true
	}
	return m
}

// add puts m over r, counts it to its call path and counts what it replaced.
func (t *Tracker) add(sp *Space, m *Mapping, r interval.Range) {
	closed := m.Kind == event.Mmap && m.Prot == 0
	old := sp.Live.Set(r, Piece{Mapping: m, Base: r.Start, Closed: closed})
	t.replace(sp, old)
	if m.Kind == event.Mmap && ofOne(old, r) && !(sp.again && old[0].Value.Origin != Observed) {
		m.Under = reservation(old[0].Value.Mapping)
	}
	m.Live = r.Len()
	t.stats.Mapped += r.Len()
	t.stats.MappedCount++
	a := t.account(sp, m)
	a.Mapped += r.Len()
	a.MappedCount++
	if closed {
		a.Closed += r.Len()
	}
	a.note(t.now - t.begin)
}

// account returns the account of m's call path.
func (t *Tracker) account(sp *Space, m *Mapping) *Account {
	if m.account != nil {
		return m.account
	}
	key := AccountKey{sp.ID, m.Stack, m.Kind}
	m.account = t.accounts[key]
	if m.account == nil {
		m.account = &Account{}
		t.accounts[key] = m.account
	}
	return m.account
}

// replace takes pieces that something else was laid over from their mappings.
// What a reading has shown of a change before its event is that change itself.
func (t *Tracker) replace(sp *Space, pieces []interval.Entry[Piece]) {
	n := t.release(sp, pieces, nil)
	if !sp.again {
		t.stats.Overlaid += n
	}
}

// release takes pieces that have left the live map from their mappings and
// returns their bytes. A call that gives memory back on purpose is ev; its
// short leavings are noted. Without ev the pieces were replaced.
func (t *Tracker) release(sp *Space, pieces []interval.Entry[Piece], ev *event.Event) uint64 {
	var sum uint64
	for _, p := range pieces {
		n := p.Len()
		m := p.Value.Mapping
		m.Live -= min(n, m.Live)
		sum += n
		if m.Live == 0 {
			delete(t.openers, m)
		}
		if m.Origin != Observed {
			if !sp.again {
				t.stats.OldUnmapped += n
				sp.takeBack(n)
			}
			continue
		}
		t.stats.Unmapped += n
		a := t.account(sp, m)
		a.Unmapped += n
		if p.Value.Closed {
			a.Closed -= min(n, a.Closed)
		}
		if m.Live == 0 {
			t.stats.GoneCount++
			a.GoneCount++
			a.Freed.Add(t.now - m.Born)
			m.Short = nil
			delete(t.returned, m)
		} else if ev != nil && ev.Kind == event.Munmap {
			m.Short = &Unmap{p.Range, ev.Stack, ev.Time}
		}
		a.note(t.now - t.begin)
	}
	return sum
}

// munmap takes back r.
func (t *Tracker) munmap(sp *Space, ev *event.Event, r interval.Range) {
	if r.Empty() {
		return
	}
	t.takeBack(sp, ev, r, sp.Live.Remove(r))
}

// takeBack counts the pieces that were in r, which ev took back.
func (t *Tracker) takeBack(sp *Space, ev *event.Event, r interval.Range, pieces []interval.Entry[Piece]) {
	n := t.release(sp, pieces, ev)
	if sp.known && !sp.again && n == 0 {
		t.stats.UnknownUnmap += r.Len()
	}
}

// moveBreak grows or shrinks the heap of brk.
func (t *Tracker) moveBreak(sp *Space, ev *event.Event) {
	if ev.Seq == 0 {
		return
	}
	if r := ev.Mapped(t.page); !r.Empty() {
		t.stats.HeapGrowth += int64(r.Len())
		sp.HeapGrowth += int64(r.Len())
		t.add(sp, t.born(ev, r), r)
	}
	if r := ev.Unmapped(t.page); !r.Empty() {
		t.stats.HeapGrowth -= int64(r.Len())
		sp.HeapGrowth -= int64(r.Len())
		t.munmap(sp, ev, r)
	}
}

// shmdt takes back every piece of the segment that was attached at an address,
// which may have holes and may have been moved: the first with that base, and
// others of the same attachment (ksys_shmdt in ipc/shm.c).
func (t *Tracker) shmdt(sp *Space, ev *event.Event) {
	base := ev.Args[0]
	var first *Mapping
	var gone []interval.Range
	var found uint64
	for e := range sp.Live.Over(interval.Range{Start: base, End: ^uint64(0)}) {
		m := e.Value.Mapping
		if !isShm(m) || e.Value.Base != base || first != nil && !sameSegment(m, first) {
			continue
		}
		first = m
		gone = append(gone, e.Range)
		if found += e.Len(); m.Origin == Observed && found == m.Live {
			break
		}
	}
	for _, r := range gone {
		t.munmap(sp, ev, r)
	}
}

// sameSegment reports whether two mappings are of one attachment. Of those that
// a reading has shown, only the path is known.
func sameSegment(m, o *Mapping) bool {
	return m == o || m.Origin != Observed && o.Origin != Observed && m.Path == o.Path
}

// isShm reports whether m is an attached System V segment.
func isShm(m *Mapping) bool {
	return m.Kind == event.Shmat || (len(m.Path) > 5 && m.Path[:5] == "/SYSV")
}
