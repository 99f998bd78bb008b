package procfs

import (
	"time"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Resident says how much of a range is in memory. All are bytes.
type Resident struct {
	Present uint64 // in memory, as RSS counts it: not the shared page of zeros
	Anon    uint64 // of these, pages of the process's own, not of a file
	Swapped uint64
	Huge    uint64 // of Present, in huge pages
}

// Add adds o to r.
func (r *Resident) Add(o Resident) {
	r.Present += o.Present
	r.Anon += o.Anon
	r.Swapped += o.Swapped
	r.Huge += o.Huge
}

// A ResidentScan asks for the residence of ranges, in order, until a budget is
// used up.
type ResidentScan struct {
	// Budget bounds the time, and so how long the process may be held up in all.
	Budget time.Duration
	// Pieces are no longer than this many bytes: the process's map is held for one
	// piece at a time. 0 is a default.
	Piece uint64
}

// scanPiece is the length in bytes of a piece that is read at once.
const scanPiece = 64 << 20

// pieces calls fn for r in pieces until it returns false.
func pieces(r interval.Range, piece uint64, fn func(interval.Range) bool) bool {
	if piece == 0 {
		piece = scanPiece
	}
	for at := r.Start; at < r.End; {
		end := min(r.End, at+piece)
		if end < at {
			end = r.End
		}
		if !fn(interval.Range{Start: at, End: end}) {
			return false
		}
		at = end
	}
	return true
}
