package report

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A Residence says how much of what is mapped is in memory or swap. All are bytes.
type Residence struct {
	// Scanned is how much was looked at; the others are of that part. Of the rest
	// nothing is known.
	Scanned uint64
	// Present is in memory: what RSS counts, and pages of hugetlbfs, which RSS
	// leaves out.
	Present uint64
	// Anon is of Present what the process wrote to memory of its own: it needs swap
	// or stays. The rest are pages of files and of shared memory.
	Anon    uint64
	Swapped uint64
	// Huge is of Present what is mapped as huge pages; 0 where the kernel does not
	// tell (before Linux 6.7).
	Huge uint64
}

// Add adds o to r.
func (r *Residence) Add(o Residence) {
	r.Scanned += o.Scanned
	r.Present += o.Present
	r.Anon += o.Anon
	r.Swapped += o.Swapped
	r.Huge += o.Huge
}

// A Piece is a live part of a mapping that was made in the window.
type Piece struct {
	Space event.SpaceID
	interval.Range
}

// Pieces returns what is outstanding, by call paths: those of the path that holds
// most come first, and those of one path by space and address. Paths are taken as
// their stacks here, without regard to names.
func Pieces(t *trace.Trace) []Piece {
	type path struct {
		stack stack.ID
		kind  event.Kind
	}
	type piece struct {
		Piece
		of path
	}
	b := &builder{t: t, tr: t.Tracker()}
	b.spaces()
	sums := make(map[path]uint64)
	var all []piece
	for _, sp := range b.list {
		for e := range sp.Live.All() {
			if m := e.Value.Mapping; b.outstands(m) {
				k := path{m.Stack, m.Kind}
				sums[k] += e.Len()
				all = append(all, piece{Piece{sp.ID, e.Range}, k})
			}
		}
	}
	slices.SortFunc(all, func(x, y piece) int {
		return cmp.Or(cmp.Compare(sums[y.of], sums[x.of]), cmp.Compare(x.of.stack, y.of.stack), cmp.Compare(x.of.kind, y.of.kind),
			cmp.Compare(x.Space, y.Space), cmp.Compare(x.Start, y.Start))
	})
	out := make([]Piece, len(all))
	for i := range all {
		out[i] = all[i].Piece
	}
	return out
}

// ResidenceFacts are what was looked up behind the end of the window, while the
// process went on.
type ResidenceFacts struct {
	// Off says that nobody wanted to know.
	Off bool `json:",omitempty"`
	// Budget is the time in nanoseconds that it may take for each address space, 0
	// if nothing was looked up; Took is what it took for all of them.
	Budget event.Time
	Took   event.Time
	Spaces []SpaceResidence
	// Denied are the address spaces that may not be looked at.
	Denied []event.SpaceID `json:",omitempty"`
	// Lazy tells of address spaces in which MADV_FREE gave back much what of that the
	// kernel had not taken yet.
	Lazy []SpaceLazy `json:",omitempty"`
}

// A SpaceResidence is the residence of the ranges of one address space that were
// looked at.
type SpaceResidence struct {
	Space event.SpaceID
	// Pages holds six numbers of pages for each range, in the order of addresses:
	// how far it begins behind the end of the one before (the first: behind address
	// 0), its length, and how many are present, anonymous, swapped and huge.
	Pages []uint64
}

const perRange = 6 // numbers in SpaceResidence.Pages

// A Resident is the residence of a range.
type Resident struct {
	interval.Range
	Residence
}

// NewSpaceResidence returns the residence of ranges, which do not overlap, in
// pages of the given size in bytes. The order of parts is changed. Scanned is the
// length of each.
func NewSpaceResidence(space event.SpaceID, parts []Resident, page uint64) SpaceResidence {
	slices.SortFunc(parts, func(x, y Resident) int { return cmp.Compare(x.Start, y.Start) })
	s := SpaceResidence{Space: space, Pages: make([]uint64, 0, perRange*len(parts))}
	end := uint64(0)
	for i := range parts {
		p := &parts[i]
		for _, n := range [perRange]uint64{p.Start - end, p.Len(), p.Present, p.Anon, p.Swapped, p.Huge} {
			s.Pages = append(s.Pages, n/page)
		}
		end = p.End
	}
	return s
}

// Parts returns what NewSpaceResidence was given. Numbers that do not fit in an
// address space come from a damaged recording; they wrap around.
func (s *SpaceResidence) Parts(page uint64) []Resident {
	out := make([]Resident, 0, len(s.Pages)/perRange)
	end := uint64(0)
	for n := s.Pages; len(n) >= perRange; n = n[perRange:] {
		start := end + n[0]*page
		end = start + n[1]*page
		out = append(out, Resident{interval.Range{Start: start, End: end},
			Residence{n[1] * page, n[2] * page, n[3] * page, n[4] * page, n[5] * page}})
	}
	return out
}

// A place is an address in a space.
type place struct {
	space event.SpaceID
	addr  uint64
}

// residences finds the mappings that the facts are about. A range counts if it
// lies in one mapping, and begins with a live piece: so it was looked at as it is.
func (b *builder) residences() {
	b.resident = make(map[*track.Mapping]Residence)
	b.parts = make(map[place]Residence)
	page := max(b.facts.Host.PageSize, 1)
	for i := range b.facts.Resident.Spaces {
		s := &b.facts.Resident.Spaces[i]
		sp := b.tr.Spaces()[s.Space]
		if sp == nil {
			continue
		}
		for _, r := range s.Parts(page) {
			e, ok := sp.Live.Find(r.Start)
			switch {
			case !ok || e.Start != r.Start:
				continue
			case e.End >= r.End && e.Len() != e.Value.Live:
				b.parts[place{s.Space, r.Start}] = r.Residence
			case e.End >= r.End:
			case !within(sp, e.Value.Mapping, r.Range):
				continue
			}
			sum := b.resident[e.Value.Mapping]
			sum.Add(r.Residence)
			b.resident[e.Value.Mapping] = sum
		}
	}
}

// residenceOf returns the residence of a live piece.
func (b *builder) residenceOf(sp *track.Space, e interval.Entry[track.Piece]) Residence {
	if e.Len() == e.Value.Live {
		return b.resident[e.Value.Mapping]
	}
	return b.parts[place{sp.ID, e.Start}]
}

// within reports whether all of r is of m. Recordings of before parts were told
// apart by their protection have such ranges.
func within(sp *track.Space, m *track.Mapping, r interval.Range) bool {
	at := r.Start
	for e := range sp.Live.Over(r) {
		if e.Start > at || e.Value.Mapping != m {
			return false
		}
		at = e.End
	}
	return at >= r.End
}

// reside notes in r what is and what is not known of residence.
func (b *builder) reside(r *Report) {
	for i := range r.Paths {
		p := &r.Paths[i]
		r.Totals.Resident.Add(p.Resident)
		r.Totals.Commit.Add(p.Commit)
		r.Quality.ResidentUnknown += p.Bytes - min(p.Bytes, p.Resident.Scanned)
	}
	f := &b.facts.Resident
	r.Quality.ResidentBudget, r.Quality.ResidentTook = f.Budget, f.Took
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		switch left := m.Live - min(m.Live, b.resident[m].Scanned); {
		case slices.Contains(f.Denied, sp.ID):
			r.Quality.ResidentDenied += left
		case left > 0 && f.Budget > 0 && !sp.Ended:
			r.Quality.ResidentBeyond += left
			r.Quality.ResidentBeyondCount++
		}
	})
}
