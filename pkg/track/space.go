package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A Space is one address space and its live map.
type Space struct {
	ID   event.SpaceID
	Live *interval.Map[Piece]
	// Processes use the space, or used it last.
	Processes []event.PID
	// Ended: the last user is gone. Live is what it held then.
	Ended bool
	// CountedOut: at its end the kernel counted as many pages as Live has.
	CountedOut bool
	// Left: every process left the space for another by execve; nothing in it
	// is outstanding.
	Left bool
	// Gone is the time from which on the space is Ended or Left.
	Gone event.Time
	// Settled is the newest comparison with the kernel's map.
	Settled Comparison
	// Before is the size in bytes of the first reading.
	Before uint64
	// HeapGrowth is the change of the program break, in bytes.
	HeapGrowth int64
	// First and Newest are how many regions the kernel's map had when it was first
	// and last read.
	First, Newest Count
	// Exact is the time from which on no change is missing, 0 if from the start.
	Exact event.Time
	// Returned counts the pieces of older mappings that were taken back in the
	// trace, by their length in bytes; of the first MaxReturned lengths.
	Returned map[uint64]uint64

	known       bool                            // a first reading has been taken
	fresh       bool                            // a map was adopted over changes in motion; no page count has agreed with it yet
	settleUntil uint64                          // number of the last change that the adopted map may hold
	doubtful    *interval.Map[struct{}]         // where the live map may be wrong; nil: nowhere
	grown       bool                            // as other, since the newest reading
	other       bool                            // the lock was taken for what may have changed the map by itself
	open        *event.Event                    // the newest change, if its effect is not known
	counted     bool                            // page counts came with changes
	broken      bool                            // changes are missing since the newest reading
	again       bool                            // what is being applied may be in the newest reading already
	lifts       map[event.TID]lift              // by the thread whose mremap has not returned
	flights     flights                         // calls that may be under way
	lossy       bool                            // of these, some are lost for good
	lost        uint64                          // records of this space lost so far
	tables      map[event.PID]map[int32]*Opened // by process and descriptor
	wants       Want                            // why the kernel's map should be read
}

// MaxReturned bounds Space.Returned.
const MaxReturned = 4096

// takeBack counts a piece of an older mapping that is gone.
func (sp *Space) takeBack(length uint64) {
	if sp.Returned == nil {
		sp.Returned = make(map[uint64]uint64)
	}
	if _, ok := sp.Returned[length]; ok || len(sp.Returned) < MaxReturned {
		sp.Returned[length]++
	}
}

// A Comparison of a live map with the kernel's. All are bytes.
type Comparison struct {
	Done                             bool
	Time                             event.Time
	Live, Agreed, Extra, Unexplained uint64
	Reprotected                      uint64 // bytes whose protection differed, also those in motion
	Moving                           bool   // changes were in motion during the reading
}

// A Count is how many there were at a time.
type Count struct {
	N    int
	Time event.Time
}

// A Want is why a space's map should be read from the kernel.
type Want uint8

// Reasons to read the kernel's map.
const (
	Nothing  Want = iota
	First         // it never was
	Growth        // something took the lock that may have changed the map by itself
	Doubt         // a call failed that may have changed the map
	Mismatch      // the kernel counts other pages than we do
	Loss          // changes are missing
)

func (w Want) String() string {
	return [...]string{"nothing", "first reading", "growth", "failed call", "page count", "lost events"}[w]
}

func (sp *Space) want(w Want) { sp.wants = max(sp.wants, w) }
