package conformance

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

func regions(rs []interval.Range) []event.Region {
	var out []event.Region
	for _, r := range rs {
		out = append(out, event.Region{Range: r})
	}
	return out
}

// ranges returns the ranges between each two of the bounds.
func ranges(bounds ...uint64) []interval.Range {
	var out []interval.Range
	for i := 0; i < len(bounds); i += 2 {
		out = append(out, interval.Range{Start: bounds[i], End: bounds[i+1]})
	}
	return out
}

func TestDiff(t *testing.T) {
	tests := []struct {
		name                            string
		kernel, tracked, missing, extra []interval.Range
	}{
		{name: "nothing on either side"},
		{
			name:    "equal however it is cut",
			kernel:  ranges(1, 3, 3, 5, 7, 9),
			tracked: ranges(7, 8, 8, 9, 1, 5),
		},
		{
			name:    "overlapping and empty ranges count once",
			kernel:  ranges(1, 9),
			tracked: ranges(1, 6, 4, 9, 5, 5, 20, 20),
		},
		{
			name:    "a hole in the tracked set",
			kernel:  ranges(1, 9),
			tracked: ranges(1, 4, 5, 9),
			missing: ranges(4, 5),
		},
		{
			name:    "both ways at once",
			kernel:  ranges(0, 9, 12, 17),
			tracked: ranges(3, 6, 6, 15),
			missing: ranges(0, 3, 15, 17),
			extra:   ranges(9, 12),
		},
		{
			name:    "one range over many",
			kernel:  ranges(1, 2, 3, 4, 5, 6),
			tracked: ranges(0, 7),
			extra:   ranges(0, 1, 2, 3, 4, 5, 6, 7),
		},
		{
			name:   "only the kernel",
			kernel: ranges(1, 2, 2, 4), missing: ranges(1, 4),
		},
		{
			name:    "only the tracker",
			tracked: ranges(1, 2, 2, 4), extra: ranges(1, 4),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			missing, extra := Diff(regions(tt.kernel), tt.tracked)
			if !slices.Equal(missing, tt.missing) || !slices.Equal(extra, tt.extra) {
				t.Errorf("got %v and %v, want %v and %v", missing, extra, tt.missing, tt.extra)
			}
		})
	}
}

func TestDiffDropsVsyscall(t *testing.T) {
	k := []event.Region{{Range: interval.Range{Start: 1, End: 2}, Path: vsyscall}}
	if missing, extra := Diff(k, nil); missing != nil || extra != nil {
		t.Errorf("got %v and %v", missing, extra)
	}
}

// TestDiffAgainstModel compares with one boolean per address.
func TestDiffAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const size = 24
	random := func() (rs []interval.Range, set [size]bool) {
		for range rng.IntN(6) {
			start := rng.Uint64N(size)
			r := interval.Range{Start: start, End: start + rng.Uint64N(size-start+1)}
			rs = append(rs, r)
			for i := r.Start; i < r.End; i++ {
				set[i] = true
			}
		}
		return rs, set
	}
	only := func(a, b [size]bool) (rs []interval.Range) {
		for i := range uint64(size) {
			if !a[i] || b[i] {
				continue
			}
			if n := len(rs); n > 0 && rs[n-1].End == i {
				rs[n-1].End++
			} else {
				rs = append(rs, interval.Range{Start: i, End: i + 1})
			}
		}
		return rs
	}
	for range 20000 {
		k, kset := random()
		tr, tset := random()
		missing, extra := Diff(regions(k), tr)
		if !slices.Equal(missing, only(kset, tset)) || !slices.Equal(extra, only(tset, kset)) {
			t.Fatalf("Diff(%v, %v) = %v, %v", k, tr, missing, extra)
		}
	}
}
