package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

const pg = 4096

// pieces is a trace with pieces of two paths, and old memory.
const pieces = `
snapshot
 1000-2000 rw-p
mmap 0x10000+0x4000 stack=1
mmap 0x20000+0x8000 stack=2
munmap 0x22000+0x1000 stack=9
mmap 0x30000+0x1000 stack=1
`

// The pieces of the path that holds most come first.
func TestPieces(t *testing.T) {
	got := report.Pieces(traced(t, pieces))
	var ranges []interval.Range
	for _, p := range got {
		ranges = append(ranges, p.Range)
	}
	want := []interval.Range{{Start: 0x20000, End: 0x22000}, {Start: 0x23000, End: 0x28000},
		{Start: 0x10000, End: 0x14000}, {Start: 0x30000, End: 0x31000}}
	if diff := cmp.Diff(want, ranges); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}
}

// residence is n pages of everything.
func residence(scanned, present, anon, swapped, huge uint64) report.Residence {
	return report.Residence{Scanned: scanned * pg, Present: present * pg, Anon: anon * pg, Swapped: swapped * pg, Huge: huge * pg}
}

func part(start, end uint64, r report.Residence) report.Resident {
	r.Scanned = end - start
	return report.Resident{Range: interval.Range{Start: start, End: end}, Residence: r}
}

func TestSpaceResidence(t *testing.T) {
	parts := []report.Resident{
		part(0x7fff_ffff_e000, 0x7fff_ffff_f000, residence(0, 1, 0, 0, 0)),
		part(0x20000, 0x22000, residence(0, 2, 1, 0, 2)),
		part(0x22000, 0x2a000, residence(0, 0, 0, 7, 0)),
	}
	s := report.NewSpaceResidence(3, parts, pg)
	want := report.SpaceResidence{Space: 3, Pages: []uint64{0x20, 2, 2, 1, 0, 2, 0, 8, 0, 0, 7, 0, 0x7fffffffe - 0x2a, 1, 1, 0, 0, 0}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(parts, s.Parts(pg)); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	s.Pages = append(s.Pages, 1, 2) // cut short
	if n := len(s.Parts(pg)); n != 3 {
		t.Errorf("%d parts", n)
	}
}

// What was looked at goes to its mapping, path and total; what has changed since
// is not known.
func TestResidenceOfPaths(t *testing.T) {
	tr := traced(t, pieces)
	space := report.Pieces(tr)[0].Space
	facts := report.Facts{Host: report.Host{PageSize: pg}, Resident: report.ResidenceFacts{Budget: 5e8, Took: 7}}
	facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(space, []report.Resident{
		part(0x1000, 0x2000, residence(0, 1, 1, 0, 0)),   // old
		part(0x10000, 0x14000, residence(0, 3, 2, 1, 0)), // whole
		part(0x20000, 0x22000, residence(0, 2, 2, 0, 2)), // one piece
		part(0x23000, 0x25000, residence(0, 1, 0, 0, 0)), // a part of the next
		part(0x30000, 0x32000, residence(0, 2, 2, 0, 0)), // has become smaller
		part(0x90000, 0x91000, residence(0, 1, 1, 0, 0)), // is gone
	}, pg), {Space: 77, Pages: []uint64{1, 1, 1, 1, 1, 1}}}
	frames := stack.Table{1: {{Function: "f", Offset: 1}}, 2: {{Function: "g", Offset: 2}}}
	r := report.Build(tr, frames, facts)
	got := make(map[string]report.Residence)
	for _, p := range r.Paths {
		got[p.Frames[0].Function] = p.Resident
		sum := report.Residence{}
		for _, m := range p.Mappings {
			sum.Add(m.Resident)
		}
		if sum != p.Resident {
			t.Errorf("mappings of %s: %+v of %+v", p.Frames[0].Function, sum, p.Resident)
		}
	}
	want := map[string]report.Residence{"f": residence(4, 3, 2, 1, 0), "g": residence(4, 3, 2, 0, 2)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(residence(8, 6, 4, 1, 2), r.Totals.Resident); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	q := r.Quality
	if q.ResidentUnknown != 4*pg || q.ResidentBeyond != 4*pg || q.ResidentBeyondCount != 2 || q.ResidentBudget != 5e8 || q.ResidentTook != 7 {
		t.Errorf("quality %+v", q)
	}
	want1 := []string{"For 2 of 3 mappings it is not known how much is in memory: looking it up may take 500 ms for each process, and that time was used up."}
	if diff := cmp.Diff(want1, r.Caveats); diff != "" {
		t.Errorf("caveats (-want +got):\n%s", diff)
	}
}

// Nobody asked: that is no shortcoming.
func TestResidenceIsOff(t *testing.T) {
	r := report.Build(traced(t, pieces), nil, report.Facts{Resident: report.ResidenceFacts{Off: true}})
	if q := r.Quality; q.ResidentUnknown != 12*pg || q.ResidentBeyond != 0 || q.ResidentBeyondCount != 0 || len(r.Caveats) > 0 {
		t.Errorf("quality %+v, caveats %q", q, r.Caveats)
	}
}

// FuzzSpaceResidence builds a report on any numbers.
func FuzzSpaceResidence(f *testing.F) {
	f.Add(uint64(0x20), uint64(2), uint64(1), uint64(1<<63))
	f.Fuzz(func(t *testing.T, gap, length, n, page uint64) {
		tr := traced(t, pieces)
		facts := report.Facts{Host: report.Host{PageSize: page}, End: event.Time(n)}
		facts.Resident.Spaces = []report.SpaceResidence{{Space: report.Pieces(tr)[0].Space, Pages: []uint64{gap, length, n, n, n, n}}}
		report.Build(tr, nil, facts)
	})
}
