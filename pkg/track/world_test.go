package track_test

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

const (
	pageSize = 4096
	pages    = 48
	unknown  = -1 // the owner of a page that only a reading has shown
)

// A world is the dumbest correct address space: what each page belongs to.
type world struct {
	owner  [pages]int // number of the event that mapped it; 0 if it is a hole
	base   [pages]int // of a shared memory segment; its first page
	shm    [pages]bool
	closed [pages]bool // PROT_NONE
}

func (w *world) count() uint64 {
	var n uint64
	for _, o := range w.owner {
		if o != 0 {
			n++
		}
	}
	return n
}

func (w *world) clear(from, to int) { w.fill(from, to, 0) }

func (w *world) fill(from, to, owner int) {
	for i := from; i < to; i++ {
		w.owner[i], w.base[i], w.shm[i], w.closed[i] = owner, from, false, false
	}
}

func (w *world) protect(from, to int, closed bool) {
	for i := from; i < to; i++ {
		w.closed[i] = closed && w.owner[i] != 0
	}
}

// attach maps a segment.
func (w *world) attach(from, to, owner int) {
	w.fill(from, to, owner)
	for i := from; i < to; i++ {
		w.shm[i] = true
	}
}

// detach removes what is left of the segment that was attached at page at.
func (w *world) detach(at int) {
	first := 0
	for i := at; i < pages; i++ {
		if w.shm[i] && w.base[i] == at && w.owner[i] != 0 && (first == 0 || first == w.owner[i]) {
			first = w.owner[i]
			w.clear(i, i+1)
		}
	}
}

// grow extends what page at-1 belongs to, up to page to.
func (w *world) grow(at, to, id int) {
	for i := at; i < to; i++ {
		if w.owner[at-1] != 0 {
			w.owner[i], w.base[i], w.shm[i] = w.owner[at-1], w.base[at-1], w.shm[at-1]
			w.closed[i] = w.closed[at-1]
		} else {
			w.fill(i, to, id)
			return
		}
	}
}

// remap is mremap: n pages at from become k pages at to.
func (w *world) remap(from, n, to, k, id int) {
	if from == to {
		w.clear(from+min(n, k), from+n)
		w.grow(to+min(n, k), to+k, id)
		return
	}
	l := w.lift(from, n)
	w.put(&l, to, k, id)
}

// A lift is n pages that were taken from their place; n is 0 for none.
type lift struct {
	from, n int
	old     world
}

// lift takes n pages away, to be put down elsewhere.
func (w *world) lift(from, n int) lift {
	l := lift{from, n, *w}
	w.clear(from, from+n)
	return l
}

// put puts down what was lifted, as k pages at to; what is a hole stays one.
func (w *world) put(l *lift, to, k, id int) {
	kept := min(l.n, k)
	if l.n != k {
		w.clear(to, to+k)
	}
	moved := false
	for i := range kept {
		if from := l.from + i; l.old.owner[from] != 0 {
			w.owner[to+i], w.base[to+i], w.shm[to+i] = l.old.owner[from], l.old.base[from]+to-l.from, l.old.shm[from]
			w.closed[to+i] = l.old.closed[from]
			moved = true
		}
	}
	if !moved {
		w.fill(to, to+kept, id)
	}
	w.grow(to+kept, to+k, id)
}

// regions returns the map that a reader sees who looks at page i at the time of
// past[at(i)].
func regions(past []world, at func(i int) int) []event.Region {
	var out []event.Region
	for i := range pages {
		if past[at(i)].owner[i] == 0 {
			continue
		}
		r := span(i, i+1)
		prot := event.ProtRead
		if past[at(i)].closed[i] {
			prot = 0
		}
		if n := len(out); n > 0 && out[n-1].End == r.Start && out[n-1].Prot == prot {
			out[n-1].End = r.End
			continue
		}
		out = append(out, event.Region{Range: r, Prot: prot})
	}
	return out
}

func span(from, to int) interval.Range {
	return interval.Range{Start: uint64(from) * pageSize, End: uint64(to) * pageSize}
}
