package report_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

func lazyPart(start, end, pages uint64) report.LazyPart {
	return report.LazyPart{Range: interval.Range{Start: start, End: end}, Bytes: pages * pg}
}

func TestSpaceLazy(t *testing.T) {
	parts := []report.LazyPart{lazyPart(0x10000, 0x20000, 3), lazyPart(0x20000, 0x21000, 1), lazyPart(0x7fff0000, 0x7fff8000, 8)}
	s := report.NewSpaceLazy(3, parts, pg)
	want := report.SpaceLazy{Space: 3, Pages: []uint64{0x10, 16, 3, 0, 1, 1, 0x7fff0 - 0x21, 8, 8}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(parts, s.Parts(pg)); diff != "" {
		t.Errorf("back again (-want +got):\n%s", diff)
	}
}

// The kernel joins neighbours in one line of its map: stack 1 gave back four pages of
// eight, stack 2 all four and one of them is not in memory, stack 3 nothing. What stack 2
// gave back elsewhere by MADV_DONTNEED is not lazy.
func TestLazyIsSharedOut(t *testing.T) {
	tr := traced(t, `
snapshot
mmap 0x10000+0x8000 stack=1
mmap 0x18000+0x4000 stack=2
mmap 0x1c000+0x4000 stack=3
mmap 0x40000+0x4000 stack=2
madvise 0x10000+0x4000 advice=free
madvise 0x18000+0x4000 advice=free
madvise 0x40000+0x4000 advice=dontneed
`)
	space := report.Pieces(tr)[0].Space
	for name, tt := range map[string]struct {
		lazy     []report.LazyPart
		one, two uint64 // pages held lazily
	}{
		"all of it":           {[]report.LazyPart{lazyPart(0x10000, 0x20000, 7)}, 4, 3},
		"a part of it":        {[]report.LazyPart{lazyPart(0x10000, 0x20000, 3)}, 1, 1},
		"more than was given": {[]report.LazyPart{lazyPart(0x10000, 0x20000, 16)}, 4, 3},
		"elsewhere":           {[]report.LazyPart{lazyPart(0x40000, 0x44000, 4)}, 0, 0},
		"nothing":             {nil, 0, 0},
	} {
		facts := report.Facts{Host: report.Host{PageSize: pg}}
		facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(space, []report.Resident{
			part(0x10000, 0x18000, residence(0, 8, 8, 0, 0)),
			part(0x18000, 0x1c000, residence(0, 3, 3, 0, 0)),
			part(0x1c000, 0x20000, residence(0, 4, 4, 0, 0)),
			part(0x40000, 0x44000, residence(0, 0, 0, 0, 0)),
		}, pg)}
		facts.Resident.Lazy = []report.SpaceLazy{report.NewSpaceLazy(space, tt.lazy, pg), {Space: 99}}
		got := make(map[string]report.Commitment)
		for _, p := range report.Build(tr, named, facts).Paths {
			c := got[p.Frames[0].Function]
			c.Add(report.Commitment{LazyHeld: p.Commit.LazyHeld / pg, LazyUnknown: p.Commit.LazyUnknown})
			got[p.Frames[0].Function] = c
		}
		want := map[string]report.Commitment{"a": {LazyHeld: tt.one}, "b": {LazyHeld: tt.two}, "c": {}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What MADV_FREE gave back is address space, or memory in use again, or it is not
// known which; only where it gave back much is it asked for.
func TestVerdictsOnLazy(t *testing.T) {
	tr := traced(t, every(200, "", "mmap %#[1]x+0x10000 stack=1 t=%[3]dms\nmadvise %#[2]x+0x10000 advice=free t=%[3]dms\n", func(i int) []any {
		return []any{0x40000000 + i*0x20000, 0x40000000 + i*0x20000}
	}))
	space := report.Pieces(tr)[0].Space
	if got := report.Lazy(tr); !slices.Equal(got, []event.SpaceID{space}) {
		t.Errorf("spaces %v, want %v", got, space)
	}
	if got := report.Lazy(traced(t, "mmap 0x10000+0xff000 stack=1\nmadvise 0x10000+0xff000 advice=free\n")); got != nil {
		t.Errorf("little was given back in %v", got)
	}
	for name, tt := range map[string]struct {
		lazy []report.SpaceLazy
		of   verdict.Substance
		why  string
	}{
		"waits": {[]report.SpaceLazy{report.NewSpaceLazy(space, []report.LazyPart{lazyPart(0x40000000, 0x50000000, 3200)}, pg)}, verdict.AddressSpace,
			"; madvise gave its memory back: VIRT is kept, RSS counts it only until the kernel needs it (MADV_FREE), so it is address space, not memory."},
		"used again": {[]report.SpaceLazy{{Space: space}}, verdict.Memory, "."},
		"unknown": {nil, verdict.Memory,
			"; MADV_FREE gave its memory back, and whether it is in use again is not known: if not, RSS counts it only until the kernel needs it."},
	} {
		facts := report.Facts{End: 20e9, Host: report.Host{PageSize: pg}}
		var looked []report.Resident
		for _, p := range report.Pieces(tr) {
			looked = append(looked, report.Resident{Range: p.Range, Residence: report.Residence{Scanned: p.Len(), Present: p.Len(), Anon: p.Len()}})
		}
		facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(space, looked, pg)}
		facts.Resident.Lazy = tt.lazy
		const facts200 = "200 of 200 mappings were never unmapped; the oldest is 20.0 s old, and it went on through the whole window"
		want := verdict.Verdict{Kind: verdict.Leak, Of: tt.of, Why: facts200 + tt.why, Enough: true}
		if got := report.Build(tr, named, facts).Paths[0].Verdict; got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}
