package export

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// DefaultTop is the number of call paths that a text report shows.
const DefaultTop = 10

// A Filter chooses and orders the call paths of a report. It judges whole paths,
// never single mappings, so that many small mappings of one path stay visible;
// it leaves remnants, failures, totals and losses alone.
type Filter struct {
	// Top is the number of paths, remnants and failures that Text shows; 0 means
	// DefaultTop and a negative number all. Formats for programs ignore it.
	Top int
	// MinSize and MaxSize bound the outstanding bytes of a path; MaxSize 0 is no
	// bound.
	MinSize, MaxSize uint64
	// Older leaves out the paths without a mapping of at least this age.
	Older event.Time
	// Include, if there are any, leave out the paths without a frame of which one
	// matches a name (stack.Frame.Names); Exclude leave out those with such a frame.
	Include, Exclude []*regexp.Regexp
	// Sort is "bytes" (also ""), "count", "rate" or "resident": the largest first;
	// or "age": the path with the oldest mapping first.
	Sort string
}

// A LeftOut says what a Filter left out of a report.
type LeftOut struct {
	NotIncluded Sum // without a frame that Include matches
	Excluded    Sum // of the others, with one that Exclude matches
	Filtered    Sum // of the others, outside MinSize, MaxSize and Older
	Beyond      Sum // after the first Top
	// Released are those of Report.Released that were left out but for Top; its Bytes
	// are what they mapped.
	Released Sum
}

// sum returns the sum for a refusal, nil for none.
func (l *LeftOut) sum(r refusal) *Sum {
	switch r {
	case notIncluded:
		return &l.NotIncluded
	case excluded:
		return &l.Excluded
	case filtered:
		return &l.Filtered
	}
	return nil
}

// all sums up what was left out but for Top.
func (l *LeftOut) all() Sum {
	return Sum{l.NotIncluded.Paths + l.Excluded.Paths + l.Filtered.Paths,
		l.NotIncluded.Bytes + l.Excluded.Bytes + l.Filtered.Bytes}
}

// A refusal is why a path is left out; none is 0.
type refusal uint8

const (
	notIncluded refusal = iota + 1
	excluded
	filtered
)

// A Sum counts call paths and their outstanding bytes.
type Sum struct {
	Paths int
	Bytes uint64
}

func (s *Sum) add(p *report.Path) {
	s.Paths++
	s.Bytes += p.Bytes
}

// Sorts returns the values that Filter.Sort takes, the default first.
func Sorts() []string { return []string{"bytes", "count", "rate", "resident", "age"} }

// Select returns a copy of r with the paths that f lets through, in the order of
// f, and what was left out. Paths that compare equal are ordered by their text.
// The copy shares everything below Paths with r, which is not changed. The error
// wraps ErrOption if f.Sort is unknown.
func Select(r *report.Report, f Filter) (*report.Report, LeftOut, error) {
	var left LeftOut
	less, err := ordering(f.Sort)
	if err != nil {
		return nil, left, err
	}
	paths := make([]report.Path, 0, len(r.Paths))
	for i := range r.Paths {
		p := &r.Paths[i]
		if sum := left.sum(f.refuses(p)); sum != nil {
			sum.add(p)
			continue
		}
		paths = append(paths, *p)
	}
	slices.SortStableFunc(paths, func(a, b report.Path) int {
		return cmp.Or(less(&a, &b), cmp.Compare(b.Bytes, a.Bytes), byText(&a, &b))
	})
	if n := f.top(len(paths)); n < len(paths) {
		for i := range paths[n:] {
			left.Beyond.add(&paths[n+i])
		}
		paths = paths[:n]
	}
	out := *r
	out.Paths = paths
	out.Released = f.released(r, &left.Released)
	return &out, left, nil
}

// released returns the paths of r.Released that f lets through, and counts the
// others: of a path that holds nothing, no mapping is of any age.
func (f Filter) released(r *report.Report, left *Sum) []report.Path {
	var out []report.Path
	for i := range r.Released {
		p := &r.Released[i]
		if f.takes(p) {
			out = append(out, *p)
			continue
		}
		left.Paths++
		left.Bytes += p.MappedBytes
	}
	return out
}

// top returns how many of n things f shows.
func (f Filter) top(n int) int {
	switch {
	case f.Top < 0:
		return n
	case f.Top == 0:
		return min(n, DefaultTop)
	}
	return min(n, f.Top)
}

// all returns f without its limit on the number of paths.
func (f Filter) all() Filter {
	f.Top = -1
	return f
}

func (f Filter) takes(p *report.Path) bool { return f.refuses(p) == 0 }

// refuses returns why f leaves p out.
func (f Filter) refuses(p *report.Path) refusal {
	switch {
	case len(f.Include) > 0 && !matchesAny(f.Include, p.Frames):
		return notIncluded
	case matchesAny(f.Exclude, p.Frames):
		return excluded
	case p.Bytes < f.MinSize || f.MaxSize > 0 && p.Bytes > f.MaxSize || p.Oldest < f.Older:
		return filtered
	}
	return 0
}

// matchesAny reports whether a pattern matches a name of a frame.
func matchesAny(patterns []*regexp.Regexp, frames []stack.Frame) bool {
	if len(patterns) == 0 {
		return false
	}
	for i := range frames {
		for _, name := range frames[i].Names() {
			if slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(name) }) {
				return true
			}
		}
	}
	return false
}

// ordering returns the comparison that sort names.
func ordering(sort string) (func(a, b *report.Path) int, error) {
	switch sort {
	case "", "bytes":
		return func(a, b *report.Path) int { return cmp.Compare(b.Bytes, a.Bytes) }, nil
	case "count":
		return func(a, b *report.Path) int { return cmp.Compare(b.Count, a.Count) }, nil
	case "rate":
		return func(a, b *report.Path) int { return cmp.Compare(b.Rate, a.Rate) }, nil
	case "resident":
		return func(a, b *report.Path) int { return cmp.Compare(b.Resident.Present, a.Resident.Present) }, nil
	case "age":
		return func(a, b *report.Path) int { return cmp.Compare(b.Oldest, a.Oldest) }, nil
	}
	return nil, fmt.Errorf("sorting by %q: %w; want one of %s",
		sort, ErrOption, strings.Join(Sorts(), ", "))
}

// byText orders paths by what names them.
func byText(a, b *report.Path) int {
	return cmp.Or(
		slices.CompareFunc(a.Frames, b.Frames, compareFrames),
		strings.Compare(a.Comm, b.Comm),
		strings.Compare(a.Call, b.Call),
		strings.Compare(a.ID, b.ID),
	)
}

func compareFrames(a, b stack.Frame) int {
	return cmp.Or(
		strings.Compare(a.Function, b.Function),
		strings.Compare(a.Module, b.Module),
		cmp.Compare(a.Offset, b.Offset),
	)
}
