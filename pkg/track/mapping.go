// Package track holds the live map of each traced address space: which call
// path made each part of it, when, and what is left. It accepts every sequence
// of events; what does not fit is counted.
package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// An Origin says how a mapping came to be known.
type Origin uint8

const (
	// Observed: its call was seen.
	Observed Origin = iota
	// Before: it was there when tracing began, or when a program was executed.
	Before
	// Inherited: it came with a fork; its Stack is the one of the parent's call.
	Inherited
	// Found: it appeared in the kernel's map and no call explains it.
	Found
)

// A Mapping is what one call mapped. Holes split its range, never the mapping.
type Mapping struct {
	// Range is as the call made it; a move or growth by mremap makes it anew.
	interval.Range
	// Live is the number of bytes that are still mapped.
	Live  uint64
	Born  event.Time
	Stack stack.ID
	// Short is the newest munmap that took a part and left another.
	Short *Unmap
	// Under is the mapping that a fixed mapping was laid over, if it was one of
	// the same process: a reservation, of which this is a commit.
	Under *Mapping
	// From is the parent's mapping of an inherited one.
	From    *Mapping
	account *Account // of the call path, once it was asked for
	// Path is the mapped file, once a reading of the kernel's map has told it.
	Path string
	// Huge is the page size in bytes of a hugetlb mapping, else 0.
	Huge   uint64
	Space  event.SpaceID
	Kind   event.Kind
	Origin Origin
	Prot   event.Prot
	File   bool
	Shared bool
	// Grows: the kernel extends the mapping downwards by itself.
	Grows bool
	// ForStack and NoReserve: the call had MAP_STACK, and MAP_NORESERVE.
	ForStack, NoReserve bool
	// Uncertain: events were lost that could have replaced it.
	Uncertain bool
	// Raced: another thread laid a mapping over the same place at the same moment,
	// and may have done so last.
	Raced bool
	// Assumed: its stack was not walked but taken from the call before at the same
	// place.
	Assumed bool
}

// An Unmap is a munmap that took back a part of a mapping.
type Unmap struct {
	interval.Range
	Stack stack.ID
	Time  event.Time
}

// likeness gives m what a mapping of the same pages as o has in common with it.
func (m *Mapping) likeness(o *Mapping) {
	m.Path, m.Huge, m.Prot, m.File, m.Shared, m.Grows = o.Path, o.Huge, o.Prot, o.File, o.Shared, o.Grows
	m.ForStack, m.NoReserve = o.ForStack, o.NoReserve
}

// A Piece is a part of a mapping in the live map.
type Piece struct {
	*Mapping
	// Base is, for System V shared memory, the address at which the segment's
	// first byte would lie: what shmdt goes by.
	Base uint64
	// Closed: nothing may be done with it (PROT_NONE). It is address space, not
	// memory.
	Closed bool
}

// A FailureKey groups failed calls.
type FailureKey struct {
	Space event.SpaceID
	Stack stack.ID
	Kind  event.Kind
	Errno int
}

// A Failure is a group of failed calls.
type Failure struct {
	Count uint64
	Args  [6]uint64 // of the newest call
	Time  event.Time
}
