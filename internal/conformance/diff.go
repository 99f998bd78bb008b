package conformance

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// vsyscall is the gate area: the kernel prints it in every map, but no process
// has it mapped and none can unmap it.
const vsyscall = "[vsyscall]"

// Diff compares what the kernel has mapped with what was tracked, as sets of
// addresses: how either side is cut into ranges, and in which order they come,
// does not matter. It returns what only the kernel has and what only the tracker
// has, both in address order with neighbours joined.
//
//	kernel:   |--------|  |----|
//	tracked:     |--|--------|
//	missing:  |--|            |-|   (mapped, but not tracked)
//	extra:              |-|         (tracked, but not mapped)
func Diff(kernel []event.Region, tracked []interval.Range) (missing, extra []interval.Range) {
	var k []interval.Range
	for _, r := range kernel {
		if r.Path != vsyscall {
			k = append(k, r.Range)
		}
	}
	k, t := union(k), union(tracked)
	return subtract(k, t), subtract(t, k)
}

// union returns the addresses in rs in address order, no two ranges touching.
func union(rs []interval.Range) []interval.Range {
	rs = slices.DeleteFunc(slices.Clone(rs), interval.Range.Empty)
	slices.SortFunc(rs, func(a, b interval.Range) int { return cmp.Compare(a.Start, b.Start) })
	var out []interval.Range
	for _, r := range rs {
		if n := len(out); n > 0 && r.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

// subtract returns the addresses of a that are not in b. Both are as union
// returns them, and so is the result.
func subtract(a, b []interval.Range) []interval.Range {
	var out []interval.Range
	for _, r := range a {
		for len(b) > 0 && b[0].End <= r.Start {
			b = b[1:]
		}
		for _, s := range b {
			if s.Start >= r.End {
				break
			}
			if r.Start < s.Start {
				out = append(out, interval.Range{Start: r.Start, End: s.Start})
			}
			r.Start = min(s.End, r.End)
		}
		if !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}
