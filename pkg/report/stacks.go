package report

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Stacks returns the IDs of the stacks that a report on t shows with what was read
// of files, in order. Of those whose mappings are all gone there are at most
// MaxReleased.
func Stacks(t *trace.Trace, files *FilesFacts) []stack.ID {
	b := &builder{t: t, tr: t.Tracker()}
	b.spaces()
	set, shown := make(map[stack.ID]bool), make(map[stack.ID]bool)
	b.outstanding(func(_ *track.Space, m *track.Mapping) {
		set[m.Stack], shown[m.Stack] = true, true
		if m.Short != nil {
			set[m.Short.Stack] = true
		}
		if o := b.tr.Opener(m); o != nil {
			set[o.Stack] = true
		}
	})
	for k := range b.tr.Failures() {
		set[k.Stack] = true
	}
	for _, m := range b.tr.Segments() {
		set[m.Stack] = true
	}
	for i := range files.Spaces {
		for k := range files.Spaces[i].Files {
			for _, o := range files.Spaces[i].Files[k].Openers {
				set[o.Stack] = true
			}
		}
	}
	gone := b.gone(shown)
	for _, id := range gone[:min(len(gone), MaxReleased)] {
		set[id] = true
	}
	delete(set, stack.None)
	ids := make([]stack.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
