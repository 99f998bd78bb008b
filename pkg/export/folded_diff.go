package export

import (
	"errors"
	"fmt"
	"io"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// ErrNoHalf means that what was outstanding half-way through the window is not
// known, or not in the unit that was asked for.
var ErrNoHalf = errors.New("it is not known what there was half-way")

// FoldedDiff writes what was outstanding half-way through the window and at its
// end, in the form of difffolded.pl, from which flamegraph.pl draws a differential
// flame graph: red is what grew in the second half, blue what shrank:
//
//	imgcache;main;handle_request;make_buffer;mmap 10485760 22020096
//
// Stacks are written as Folded does. Lines that would say 0 twice are left out, and
// MinSize and MaxSize are about the larger number. The error wraps ErrOption if an option is unknown, ErrNoHalf if o.Value is
// "resident" or the window has no middle, else it is w's.
func FoldedDiff(w io.Writer, r *report.Report, o FoldedOptions) error {
	if _, err := o.value(); err != nil {
		return err
	}
	if _, err := ordering(o.Sort); err != nil {
		return err
	}
	if o.Value == "resident" || r.HalfTime == 0 {
		return fmt.Errorf("folding the two halves of a window: %w", ErrNoHalf)
	}
	sums := make(map[string]beforeAfter)
	for _, paths := range [][]report.Path{r.Paths, r.Released} {
		for i := range paths {
			p := &paths[i]
			larger := *p
			larger.Bytes = max(p.Bytes, p.Half.Bytes)
			n := beforeAfter{p.Half.Bytes, p.Bytes}
			if o.Value == "count" {
				n = beforeAfter{p.Half.Count, p.Count}
			}
			if n == (beforeAfter{}) || !o.takes(&larger) {
				continue
			}
			sum := sums[o.stack(p)]
			sums[o.stack(p)] = beforeAfter{sum.before + n.before, sum.after + n.after}
		}
	}
	return writeFolded(w, sums, func(n beforeAfter) string { return fmt.Sprintf("%d %d", n.before, n.after) })
}

// A beforeAfter is what a stack held half-way and at the end.
type beforeAfter struct{ before, after uint64 }
