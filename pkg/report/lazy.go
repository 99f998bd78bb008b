package report

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A SpaceLazy is what of an address space is in memory only until the kernel needs
// it: MADV_FREE gave it back, and nobody has written to it since.
type SpaceLazy struct {
	Space event.SpaceID
	// Pages holds three numbers of pages for each line of the kernel's map that has
	// such pages, in the order of addresses: how far it begins behind the end of the
	// one before (the first: behind address 0), its length, and how many they are.
	Pages []uint64
}

const perLazy = 3 // numbers in SpaceLazy.Pages

// A LazyPart is a line of the kernel's map and how many bytes of it are lazy.
type LazyPart struct {
	interval.Range
	Bytes uint64
}

// NewSpaceLazy returns the parts, which are in the order of addresses and do not
// overlap, in pages of the given size in bytes.
func NewSpaceLazy(space event.SpaceID, parts []LazyPart, page uint64) SpaceLazy {
	s := SpaceLazy{Space: space, Pages: make([]uint64, 0, perLazy*len(parts))}
	end := uint64(0)
	for _, p := range parts {
		s.Pages = append(s.Pages, (p.Start-end)/page, p.Len()/page, p.Bytes/page)
		end = p.End
	}
	return s
}

// Parts returns what NewSpaceLazy was given. Numbers that do not fit in an address
// space come from a damaged recording; they wrap around.
func (s *SpaceLazy) Parts(page uint64) []LazyPart {
	out := make([]LazyPart, 0, len(s.Pages)/perLazy)
	end := uint64(0)
	for n := s.Pages; len(n) >= perLazy; n = n[perLazy:] {
		start := end + n[0]*page
		end = start + n[1]*page
		out = append(out, LazyPart{interval.Range{Start: start, End: end}, n[2] * page})
	}
	return out
}

// muchLazy is how many bytes MADV_FREE has to give back until what of them is in
// memory is looked up, which is dear.
const muchLazy = 1 << 20

// Lazy returns the address spaces in which much of what is outstanding was given
// back by MADV_FREE, by number.
func Lazy(t *trace.Trace) []event.SpaceID {
	b := &builder{t: t, tr: t.Tracker()}
	b.spaces()
	sums := make(map[event.SpaceID]uint64)
	b.outstanding(func(sp *track.Space, m *track.Mapping) { sums[sp.ID] += b.tr.Returned(m).Lazy })
	var out []event.SpaceID
	for id, n := range sums {
		if n >= muchLazy {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(x, y event.SpaceID) int { return cmp.Compare(x, y) })
	return out
}

// lazies finds out how much of each mapping is in memory only until the kernel needs
// it. A line of the kernel's map may be of several mappings: then what is lazy of it
// is shared out among those of which MADV_FREE gave something back, at most what each
// has given back and has in memory.
func (b *builder) lazies() {
	b.lazy = make(map[*track.Mapping]uint64)
	b.lazyKnown = make(map[event.SpaceID]bool)
	page := max(b.facts.Host.PageSize, 1)
	for i := range b.facts.Resident.Lazy {
		s := &b.facts.Resident.Lazy[i]
		sp := b.tr.Spaces()[s.Space]
		if sp == nil {
			continue
		}
		b.lazyKnown[s.Space] = true
		for _, part := range s.Parts(page) {
			b.shareOut(sp, part)
		}
	}
}

func (b *builder) shareOut(sp *track.Space, part LazyPart) {
	most := make(map[*track.Mapping]uint64)
	var sum uint64
	for e := range sp.Live.Over(part.Range) {
		m := e.Value.Mapping
		if n := b.tr.Returned(m).Lazy; n > 0 && b.outstands(m) {
			here := min(b.residenceOf(sp, e).Present, n-min(n, most[m]))
			most[m] += here
			sum += here
		}
	}
	for m, n := range most {
		if sum > part.Bytes {
			n = uint64(float64(n) * (float64(part.Bytes) / float64(sum)))
		}
		b.lazy[m] += n
	}
}
