package report

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Stacks returns the IDs of the stacks that a report on t shows, in order.
func Stacks(t *trace.Trace) []stack.ID {
	b := &builder{t: t, tr: t.Tracker()}
	b.spaces()
	set := make(map[stack.ID]bool)
	b.outstanding(func(_ *track.Space, m *track.Mapping) {
		set[m.Stack] = true
		if m.Short != nil {
			set[m.Short.Stack] = true
		}
	})
	for k := range b.tr.Failures() {
		set[k.Stack] = true
	}
	delete(set, stack.None)
	ids := make([]stack.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
