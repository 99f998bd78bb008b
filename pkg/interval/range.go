// Package interval holds half-open address ranges and a map from disjoint
// ranges to values.
package interval

import "fmt"

// A Range is the half-open range of addresses [Start, End), in bytes. It is
// empty when End <= Start.
type Range struct {
	Start, End uint64
}

// Of returns the n bytes that begin at start. It saturates instead of wrapping
// past the end of the address space.
func Of(start, n uint64) Range {
	end := start + n
	if end < start {
		end = ^uint64(0)
	}
	return Range{start, end}
}

// Empty reports whether r holds no address.
func (r Range) Empty() bool { return r.End <= r.Start }

// Len returns the number of bytes in r.
func (r Range) Len() uint64 {
	if r.Empty() {
		return 0
	}
	return r.End - r.Start
}

// Contains reports whether addr lies in r.
func (r Range) Contains(addr uint64) bool { return r.Start <= addr && addr < r.End }

// Covers reports whether every address of s lies in r.
func (r Range) Covers(s Range) bool {
	return s.Empty() || (r.Start <= s.Start && s.End <= r.End)
}

// Overlaps reports whether r and s share an address.
func (r Range) Overlaps(s Range) bool { return !r.Intersect(s).Empty() }

// Intersect returns the addresses that r and s share.
func (r Range) Intersect(s Range) Range {
	return Range{max(r.Start, s.Start), min(r.End, s.End)}
}

// Align widens r to whole pages of the given size, which is a power of two.
func (r Range) Align(page uint64) Range {
	if r.Empty() {
		return r
	}
	end := (r.End + page - 1) &^ (page - 1)
	if end < r.End {
		end = ^uint64(0) &^ (page - 1)
	}
	return Range{r.Start &^ (page - 1), end}
}

func (r Range) String() string { return fmt.Sprintf("[%#x,%#x)", r.Start, r.End) }
