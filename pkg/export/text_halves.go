package export

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxHalves bounds the paths of which the halves are shown, unless all are wanted.
const maxHalves = 5

// A growth is by how much something grew in each half of a window.
type growth struct{ first, second int64 }

func growthOf(half report.Amount, end uint64) growth {
	return growth{int64(half.Bytes), int64(end - half.Bytes)}
}

// halves compares the halves of the window: what leaks grows in both.
func (t *text) halves() {
	paths := t.moved()
	if t.r.HalfTime == 0 || len(paths) == 0 {
		return
	}
	t.title("TWO HALVES", fmt.Sprintf("Growth in the first %s of the window, and since. A leak grows in both.", span(t.r.HalfTime)))
	t.blank()
	t.line(dim, "   first half  second half")
	n := len(paths)
	if !t.o.All {
		n = min(n, maxHalves)
	}
	for _, p := range paths[:n] {
		kind := cmp.Or(string(p.Verdict.Kind), "not judged")
		if p.Bytes == 0 {
			kind = "gone"
		}
		t.half(growthOf(p.Half, p.Bytes), padTo(kind, len("suppressed"))+" ", place(p))
	}
	if len(paths) > n {
		var rest growth
		for _, p := range paths[n:] {
			g := growthOf(p.Half, p.Bytes)
			rest.first, rest.second = rest.first+g.first, rest.second+g.second
		}
		t.half(rest, "", count(uint64(len(paths)-n), "more path"))
	}
	if len(paths) > 1 {
		t.half(growthOf(t.r.Totals.Half, t.r.Totals.OutstandingBytes), "", "all together")
	}
}

func (t *text) half(g growth, kind, what string) {
	t.para(plain, fmt.Sprintf("  %s  %s  %s", rightTo(signedSize(g.first), 11), rightTo(signedSize(g.second), 11), kind), "%s", what)
}

// moved returns the paths that held something half-way or at the end, those first
// that grew most in the second half.
func (t *text) moved() []*report.Path {
	var out []*report.Path
	for _, list := range [][]report.Path{t.r.Paths, t.r.Released} {
		for i := range list {
			if p := &list[i]; p.Bytes > 0 || p.Half.Bytes > 0 {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *report.Path) int {
		x, y := growthOf(a.Half, a.Bytes), growthOf(b.Half, b.Bytes)
		return cmp.Or(cmp.Compare(y.second, x.second), cmp.Compare(y.first, x.first), byText(a, b))
	})
	return out
}
