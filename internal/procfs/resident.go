package procfs

import (
	"cmp"
	"slices"
	"time"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Resident says how much of a range is in memory. All are bytes.
type Resident struct {
	// Scanned is how much of the range was read, from its start. The others are of
	// that part.
	Scanned uint64
	// Present is in memory: what RSS counts, so not the shared page of zeros, and
	// pages of hugetlbfs, which RSS leaves out.
	Present uint64
	Anon    uint64 // of Present, pages of the process's own, not of a file or of shared memory
	Swapped uint64
	Huge    uint64 // of Present, mapped as huge pages; 0 before Linux 6.7
}

// A ResidentScan bounds what it takes to look up the residence of ranges.
type ResidentScan struct {
	// Budget bounds the time of the whole, pauses included.
	Budget time.Duration

	piece   uint64 // longest piece in bytes; 0 is the default
	entries bool   // read the entries of pagemap even if PAGEMAP_SCAN is there
}

// A process cannot map or unmap while its page tables are read. So they are read
// in pieces that take about heldAtOnce, with pauses of the same length, in which
// it gets its turn: without them a reader that comes back at once is let in
// before a writer that waits, for up to 4 ms (kernel/locking/rwsem.c).
const (
	heldAtOnce = 150 * time.Microsecond
	minPiece   = 256 << 10
	firstPiece = 4 << 20
	maxPiece   = 256 << 20
)

// Ranges are taken in batches, so that those in front come first, and within a
// batch with their neighbours: to read over a gap of up to bridge costs less than
// another call.
const (
	batchSize = 8192
	bridge    = 64 << 10
)

// A span is neighbouring ranges that are read in one go.
type span struct {
	interval.Range
	members []int // of the ranges, in the order of addresses
}

// spansOf joins ranges that are neighbours. The spans come in the order of the
// foremost range of each, batch after batch.
func spansOf(ranges []interval.Range) []span {
	var out []span
	for from := 0; from < len(ranges); from += batchSize {
		batch := make([]int, 0, batchSize)
		for i := from; i < min(from+batchSize, len(ranges)); i++ {
			batch = append(batch, i)
		}
		slices.SortFunc(batch, func(a, b int) int { return cmp.Compare(ranges[a].Start, ranges[b].Start) })
		joined := join(ranges, batch)
		slices.SortFunc(joined, func(a, b span) int { return cmp.Compare(slices.Min(a.members), slices.Min(b.members)) })
		out = append(out, joined...)
	}
	return out
}

// join returns the spans of the ranges that sorted names in the order of addresses.
func join(ranges []interval.Range, sorted []int) []span {
	var out []span
	first := 0
	for k, i := range sorted {
		r := ranges[i]
		if n := len(out); n > 0 && r.Start-out[n-1].End <= bridge {
			out[n-1].End = max(out[n-1].End, r.End)
			out[n-1].members = sorted[first : k+1]
			continue
		}
		first = k
		out = append(out, span{r, sorted[k : k+1]})
	}
	return out
}

// An extent is neighbouring pages of one kind.
type extent struct {
	interval.Range
	present, anon, swapped, huge bool
}

// add counts n bytes of e.
func (r *Resident) add(n uint64, e *extent) {
	switch {
	case e.present:
		r.Present += n
		if e.anon {
			r.Anon += n
		}
		if e.huge {
			r.Huge += n
		}
	case e.swapped:
		r.Swapped += n
	}
}

// share counts what was found in a span, up to the address reached, for the
// ranges that it belongs to. Both are in the order of addresses. It returns the
// members that reach beyond.
func share(found []extent, reached uint64, members []int, ranges []interval.Range, out []Resident) []int {
	k := 0
	for i := range found {
		e := &found[i]
		for k < len(members) && ranges[members[k]].End <= e.Start {
			k++
		}
		for j := k; j < len(members) && ranges[members[j]].Start < e.End; j++ {
			out[members[j]].add(ranges[members[j]].Intersect(e.Range).Len(), e)
		}
	}
	done := 0
	for _, i := range members {
		if ranges[i].Start >= reached {
			break
		}
		out[i].Scanned = min(ranges[i].End, reached) - ranges[i].Start
		if ranges[i].End <= reached {
			done++
		}
	}
	return members[done:]
}
