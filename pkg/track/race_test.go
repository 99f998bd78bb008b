package track_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Where changes are in the order of calls, it is not known which of two fixed
// mappings that were under way at once came last, whichever returned first. The
// map is read again, and the owner of what is left is marked. What cannot have
// been under way at once is not.
func TestRacesOfCalls(t *testing.T) {
	const before = "snapshot\n"
	for name, tt := range map[string]struct{ text, want string }{
		"two fixed mappings": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=2 raced\nwants failed call\n"},
		"in the other order": {
			"mmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=2ms\n",
			"[0x1000,0x3000) stack=1 raced\nwants failed call\n"},
		"that overlap in part": {
			"mmap 0x1000+0x3000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x3000+0x2000 flags=fixed tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=1\n[0x3000,0x5000) stack=2 raced\nwants failed call\n"},
		"of one thread": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=1 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"of a thread that did something in between": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x9000+0x1000 tid=2 stack=3 t=2ms\nmmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\n[0x9000,0xa000) stack=3\n"},
		"long after each other": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=1002ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"beside each other": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x3000+0x2000 flags=fixed tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=1\n[0x3000,0x5000) stack=2\n"},
		"that must not replace": {
			"mmap 0x1000+0x2000 flags=fixed,noreplace tid=1 stack=1 t=1ms\nmunmap 0x1000+0x2000 tid=1 t=2ms\nmmap 0x1000+0x2000 flags=fixed,noreplace tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"over what was reserved": {
			"mmap 0x1000+0x4000 tid=1 stack=1 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=2\n[0x3000,0x5000) stack=1\n"},
		"three": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x1000+0x1000 flags=fixed tid=2 stack=2 t=2ms\nmmap 0x2000+0x1000 flags=fixed tid=3 stack=3 t=3ms\n",
			"[0x1000,0x2000) stack=2 raced\n[0x2000,0x3000) stack=3 raced\nwants failed call\n"},
		"munmap and a fixed mapping": { // nobody else can have it, but it may be gone
			"munmap 0x1000+0x2000 tid=1 t=9ms\nmmap 0x1000+0x2000 flags=fixed tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=2\nwants failed call\n"},
		"a place given back and given away": {
			"mmap 0x1000+0x2000 tid=1 stack=1 t=1ms\nmunmap 0x1000+0x2000 tid=1 t=9ms\nmmap 0x1000+0x2000 tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"a place given back twice": { // the second may have taken the new mapping
			"mmap 0x1000+0x2000 tid=1 stack=1 t=1ms\nmunmap 0x1000+0x2000 tid=1 t=2ms\nmunmap 0x1000+0x2000 tid=3 t=9ms\nmmap 0x1000+0x2000 tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\nwants failed call\n"},
		"a fixed mapping over a place that was just given away": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmmap 0x1000+0x2000 tid=2 stack=2 t=2ms\n",
			"[0x1000,0x3000) stack=2 raced\nwants failed call\n"},
		"a fixed mapping that was given back": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nmunmap 0x1000+0x2000 tid=1 t=2ms\nmmap 0x1000+0x2000 tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"a segment attached at a fixed place that was detached": {
			"shmat 0x1000+0x2000 id=1 flags=remap tid=1 stack=1 t=1ms\nshmdt 0x1000 tid=1 t=2ms\nmmap 0x1000+0x2000 tid=2 stack=2 t=3ms\n",
			"[0x1000,0x3000) stack=2\n"},
		"an mremap to a fixed place": {
			"mmap 0x8000+0x2000 tid=2 stack=2 t=1ms\nmmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=3ms\n" +
				"other nr=25 a1=0x8000 a2=0x2000 tid=2 marks=lift t=4ms\nmremap 0x8000+0x2000 -> 0x1000+0x2000 flags=maymove,fixed tid=2 t=4ms\n",
			"[0x1000,0x3000) stack=2 raced\nwants failed call\n"},
		"an mremap that grows over its own": {
			"mmap 0x1000+0x2000 flags=fixed tid=1 stack=1 t=1ms\nother nr=25 tid=2 marks=lift t=2ms\nmremap 0x1000+0x2000 -> 0x1000+0x3000 tid=2 t=2ms\n",
			"[0x1000,0x4000) stack=1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := trace.New(pageSize)
			tr.Tracker().OrderByCalls()
			r := event.NewReader(strings.NewReader(before+tt.text), name)
			for r.Scan() {
				tr.Add(r.Event())
			}
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			tr.Flush()
			if diff := cmp.Diff(tt.want, raced(tr.Tracker())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// raced draws the live map of space 1 with the owners, and what it wants.
func raced(tr *track.Tracker) string {
	var b strings.Builder
	for e := range tr.Spaces()[1].Live.All() {
		fmt.Fprintf(&b, "%v stack=%d", e.Range, e.Value.Stack)
		if e.Value.Raced {
			b.WriteString(" raced")
		}
		b.WriteByte('\n')
	}
	if w := tr.Wants()[1]; w != track.Nothing {
		fmt.Fprintf(&b, "wants %v\n", w)
	}
	return b.String()
}
