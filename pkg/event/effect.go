package event

import "github.com/mmtrace/mmtrace/pkg/interval"

// Failed reports whether the call returned an error. brk has no errors: it
// returns the break as it is.
func (e *Event) Failed() bool {
	return e.Kind != Brk && e.Ret < 0 && e.Ret >= -4095
}

// Errno returns the error number of a failed call, else 0.
func (e *Event) Errno() int {
	if !e.Failed() {
		return 0
	}
	return int(-e.Ret)
}

// Doubtful reports whether the call may have changed the map in a way that its
// result does not tell: the length of a mapping is missing, or it failed after the write lock was taken and had
// something to destroy. Linux leaves holes behind in such cases, for example
// when the driver of a file refuses a MAP_FIXED mapping.
func (e *Event) Doubtful() bool {
	if e.Marks&(Died|Stale|Second|Unordered) != 0 {
		return true
	}
	if e.Seq == 0 {
		return false
	}
	switch e.Kind {
	case Mmap:
		return e.Failed() && e.Args[3]&MapFixed != 0 && e.Args[3]&MapFixedNoRep == 0
	case Shmat:
		return e.Failed() && e.Args[2]&ShmRemap != 0 || !e.Failed() && e.Aux == 0
	case IoSetup:
		return e.Failed() || e.Aux == 0
	case Mremap: // what is not fixed fails before it changes anything
		return e.Failed() && e.Args[3]&RemapFixed != 0
	case RemapFilePages:
		return e.Failed()
	case MapVDSO:
		return !e.Failed()
	}
	return false
}

// Mapped returns the range that a successful call mapped, in whole pages of
// the given size in bytes; empty for other kinds and for failed calls. For
// Mremap it is all of the new range.
func (e *Event) Mapped(page uint64) interval.Range {
	if e.Failed() {
		return interval.Range{}
	}
	if e.Marks&Huge != 0 && e.Aux != 0 && e.Aux&(e.Aux-1) == 0 {
		page = e.Aux
	}
	switch e.Kind {
	case Mmap, ShadowStack:
		return span(uint64(e.Ret), e.Args[1], page)
	case Mremap:
		return span(uint64(e.Ret), e.Args[2], page)
	case Shmat:
		return span(uint64(e.Ret), e.Aux, page)
	case IoSetup:
		return span(e.Args[5], e.Aux, page)
	case Brk:
		return interval.Range{Start: up(e.Brk, page), End: up(uint64(e.Ret), page)}
	}
	return interval.Range{}
}

// Unmapped returns the range that a successful call gave back, in whole pages;
// for a move by Mremap the old range. What shmdt and io_destroy give back
// depends on the map and is not told here.
func (e *Event) Unmapped(page uint64) interval.Range {
	if e.Failed() {
		return interval.Range{}
	}
	switch e.Kind {
	case Munmap:
		return span(e.Args[0], e.Args[1], page)
	case Mremap:
		return span(e.Args[0], e.Args[1], page)
	case Brk:
		return interval.Range{Start: up(uint64(e.Ret), page), End: up(e.Brk, page)}
	}
	return interval.Range{}
}

// Touches returns the ranges of pages that a call under the lock may have
// changed, whether it failed or not. What shmdt and io_destroy take back depends
// on the map: they give an empty range at their address. Where nothing is told
// it is the whole address space, or all of it from an address on.
func (e *Event) Touches(page uint64) []interval.Range {
	const end = ^uint64(0)
	switch {
	case e.Marks&(Died|Stale|Second|Unordered) != 0:
		return []interval.Range{{Start: 0, End: end}}
	case e.Marks&Lift != 0:
		return []interval.Range{span(e.Args[1], e.Args[2], page)}
	case e.Failed():
		return e.disturbed(page)
	case e.Kind == Shmdt || e.Kind == IoDestroy:
		return []interval.Range{{Start: e.Args[0], End: e.Args[0]}}
	case e.Kind == Shmat && e.Aux == 0:
		return []interval.Range{{Start: uint64(e.Ret), End: end}}
	case e.Kind == IoSetup && e.Aux == 0:
		return []interval.Range{{Start: e.Args[5], End: end}}
	}
	var out []interval.Range
	for _, r := range []interval.Range{e.Unmapped(page), e.Mapped(page)} {
		if !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}

// disturbed returns what a failed call may have changed all the same.
func (e *Event) disturbed(page uint64) []interval.Range {
	switch {
	case e.Kind == Mmap && e.Args[3]&MapFixed != 0:
		return []interval.Range{span(e.Args[0], e.Args[1], page)}
	case e.Kind == Mremap && e.Args[3]&RemapFixed != 0:
		return []interval.Range{span(e.Args[0], e.Args[1], page), span(e.Args[4], e.Args[2], page)}
	case e.Kind == Mremap:
		return []interval.Range{span(e.Args[0], e.Args[1], page)}
	case e.Kind == Shmat && e.Args[2]&ShmRemap != 0 && e.Aux != 0:
		return []interval.Range{span(e.Args[1], e.Aux, page)}
	case e.Kind == Shmat && e.Args[2]&ShmRemap != 0:
		return []interval.Range{{Start: e.Args[1], End: ^uint64(0)}}
	}
	return nil
}

// Segment returns the length in bytes of the System V segment that a ShmGet
// made, in whole pages of the given size; 0 if it cannot be told: the segment may
// have been there, and longer, or its pages are huge.
func (e *Event) Segment(page uint64) uint64 {
	fresh := e.Args[0] == 0 || e.Args[2]&(ipcCreate|ipcExclusive) == ipcCreate|ipcExclusive // IPC_PRIVATE
	if e.Kind != ShmGet || e.Failed() || !fresh || e.Args[2]&shmHuge != 0 {
		return 0
	}
	return up(e.Args[1], page)
}

// span returns the pages that hold the n bytes from start on.
func span(start, n, page uint64) interval.Range {
	r := interval.Of(start, n)
	r.End = up(r.End, page)
	return r
}

// up rounds addr up to a multiple of page, which is a power of two; at the end
// of the address space it rounds down.
func up(addr, page uint64) uint64 {
	if r := (addr + page - 1) &^ (page - 1); r >= addr {
		return r
	}
	return addr &^ (page - 1)
}

// Moves reports whether a successful Mremap took pieces from the old range to
// the new one, rather than making a second mapping of the same pages.
func (e *Event) Moves() bool {
	return e.Kind == Mremap && !e.Failed() && e.Args[1] != 0 && e.Args[3]&RemapDontUnmap == 0
}
