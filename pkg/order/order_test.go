package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/order"
)

// A diary is a Sink that writes down what it is given, an entry a line.
type diary struct{ strings.Builder }

func (d *diary) Apply(ev *event.Event) {
	fmt.Fprintf(d, "%s", ev.Kind)
	if ev.Seq != 0 {
		fmt.Fprintf(d, " %d", ev.Seq)
	}
	if ev.Space != 1 {
		fmt.Fprintf(d, " in %d", ev.Space)
	}
	if ev.Marks&event.Late != 0 {
		d.WriteString(" late")
	}
	d.WriteByte('\n')
}

func (d *diary) Settle(snap *event.Event, motion []interval.Range) {
	fmt.Fprintf(d, "settle %d to %d", snap.From, snap.To)
	if len(motion) > 0 {
		fmt.Fprintf(d, ", %d in motion", len(motion))
	}
	d.WriteByte('\n')
}

func (d *diary) Gap(space event.SpaceID, n uint64, lost bool) {
	fmt.Fprintf(d, "gap of %d", n)
	if space != 1 {
		fmt.Fprintf(d, " in %d", space)
	}
	if lost {
		d.WriteString(" lost")
	}
	d.WriteByte('\n')
}

// add hands the events of a text trace to s.
func add(t *testing.T, s *order.Sequencer, text string) {
	t.Helper()
	r := event.NewReader(strings.NewReader(text), "order.trace")
	for r.Scan() {
		s.Add(r.Event())
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestSequencer(t *testing.T) {
	for _, tt := range []struct{ name, arrive, before, after string }{
		{"what comes in order is handed on at once", `
mmap 0x1000+0x1000
munmap 0x1000+0x1000
exit`, `
mmap 1
munmap 2
exit`, ``},
		{"an early event waits", `
mmap 0x1000+0x1000 seq=2
mmap 0x2000+0x1000 seq=3
munmap 0x1000+0x1000 seq=1`, `
munmap 1
mmap 2
mmap 3`, ``},
		{"spaces do not wait for each other", `
mmap 0x1000+0x1000 seq=2
mmap 0x1000+0x1000 space=2 seq=1
mmap 0x1000+0x1000 space=2 seq=3`, `
mmap 1 in 2`, `
gap of 1
mmap 2
gap of 1 in 2
mmap 3 in 2`},
		{"a missing event is given up after five seconds", `
mmap 0x1000+0x1000 seq=2 t=1s
mmap 0x2000+0x1000 seq=3 t=5900ms
mmap 0x2000+0x1000 seq=4 t=6s`, `
gap of 1
mmap 2
mmap 3
mmap 4`, ``},
		{"a lost event is given up soon", `
mmap 0x1000+0x1000 seq=2 t=1s
mmap 0x2000+0x1000 seq=3 t=1100ms
mmap 0x2000+0x1000 seq=4 t=1200ms lost=1`, `
gap of 1 lost
mmap 2
mmap 3
mmap 4`, ``},
		{"a reading does not make the clock run: events may lag far behind it", `
mmap 0x1000+0x1000 seq=2 t=1s
snapshot from=4 to=4 t=60s
mmap 0x2000+0x1000 seq=3 t=1100ms
mmap 0x1000+0x1000 seq=1 t=1200ms
mmap 0x3000+0x1000 seq=4 t=1300ms`, `
mmap 1
mmap 2
mmap 3
mmap 4
settle 4 to 4`, ``},
		{"a clock makes what waits be given up", `
mmap 0x1000+0x1000 seq=2 t=1s
clock t=7s`, `
gap of 1
mmap 2`, ``},
		{"an event that comes after its place was given up is late", `
mmap 0x1000+0x1000 seq=2 t=1s
mmap 0x1000+0x1000 seq=3 t=6s
mmap 0x1000+0x1000 seq=1 t=6s`, `
gap of 1
mmap 2
mmap 3
mmap 1 late`, ``},
		{"what took no lock waits for what was before it", `
munmap 0x1000+0x1000 = EINVAL after=2
end after=2
mmap 0x1000+0x1000 seq=2
mmap 0x2000+0x1000 seq=1`, `
mmap 1
mmap 2
munmap
end`, ``},
		{"a process and its name wait for nothing", `
mmap 0x1000+0x1000 seq=2
process pid=42`, `
process`, `
gap of 1
mmap 2`},
		{"a reading waits for the changes that it holds", `
mmap 0x1000+0x1000
snapshot from=2 to=2
munmap 0x1000+0x1000 seq=2
mmap 0x1000+0x1000 seq=3`, `
mmap 1
munmap 2
settle 2 to 2
mmap 3`, ``},
		{"a reading waits for the changes that it may hold", `
snapshot from=0 to=2
munmap 0x1000+0x1000 seq=2
mmap 0x1000+0x1000 seq=3
mmap 0x1000+0x1000 seq=1`, `
settle 0 to 2, 2 in motion
mmap 1
munmap 2
mmap 3`, ``},
		{"changes that came before the reading was noted are in motion too", `
mmap 0x1000+0x1000 seq=2
mmap 0x2000+0x1000 seq=3
snapshot from=0 to=2
munmap 0x1000+0x1000 seq=1`, `
settle 0 to 2, 2 in motion
munmap 1
mmap 2
mmap 3`, ``},
		{"a reading is compared even if a change that it may hold is missing", `
snapshot from=0 to=2 t=1s
mmap 0x1000+0x1000 seq=2 t=6s
mmap 0x1000+0x1000 seq=3 t=11s`, `
settle 0 to 2, 1 in motion
gap of 1
mmap 2
mmap 3`, ``},
		{"a second lost event is given up as soon as the first", `
mmap 0x1000+0x1000 seq=2 t=1s
mmap 0x2000+0x1000 seq=4 t=1001ms lost=2
mmap 0x2000+0x1000 seq=6 t=1100ms
mmap 0x2000+0x1000 seq=7 t=1250ms`, `
gap of 1 lost
mmap 2
gap of 1 lost
mmap 4`, `
gap of 1
mmap 6
mmap 7`},
		{"what was lost beside the order does not hasten for ever", `
mmap 0x1000+0x1000 seq=2 t=1s lost=9
mmap 0x2000+0x1000 seq=3 t=1300ms
mmap 0x2000+0x1000 seq=5 t=2s
mmap 0x2000+0x1000 seq=6 t=3s
mmap 0x2000+0x1000 seq=4 t=4s`, `
gap of 1 lost
mmap 2
mmap 3
mmap 4
mmap 5
mmap 6`, ``},
		{"two readings are compared in their order", `
snapshot from=1 to=2
snapshot from=2 to=3
mmap 0x1000+0x1000 seq=3
mmap 0x1000+0x1000 seq=2
mmap 0x1000+0x1000 seq=1`, `
mmap 1
settle 1 to 2, 1 in motion
mmap 2
settle 2 to 3, 1 in motion
mmap 3`, ``},
		{"a child begins when its parent has reached the copy", `
fork space=2 parent=1@2 pid=43
mmap 0x1000+0x1000 space=2 seq=1
mmap 0x1000+0x1000 seq=2
mmap 0x1000+0x1000 seq=3
mmap 0x1000+0x1000 seq=1`, `
mmap 1
mmap 2
fork in 2
mmap 1 in 2
mmap 3`, ``},
		{"a grandchild waits for its parent", `
fork space=2 parent=1@1 pid=43
fork space=3 parent=2 pid=44
mmap 0x1000+0x1000 space=3 seq=1
mmap 0x1000+0x1000 seq=1`, `
mmap 1
fork in 2
fork in 3
mmap 1 in 3`, ``},
		{"at the end what came after the last reading is dropped behind a gap", `
snapshot from=0 to=0
mmap 0x1000+0x1000 seq=1
mmap 0x1000+0x1000 seq=3`, `
settle 0 to 0
mmap 1`, ``},
		{"at the end what came after the last reading is handed on if the space has ended", `
snapshot from=0 to=0
mmap 0x1000+0x1000 seq=1
mmap 0x1000+0x1000 seq=3
exit after=4 pid=42
end after=4`, `
settle 0 to 0
mmap 1`, `
gap of 1
mmap 3
gap of 1
exit
end`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d diary
			s := order.New(&d, 4096)
			add(t, s, tt.arrive)
			before := d.String()
			s.Flush()
			after := strings.TrimPrefix(d.String(), before)
			if diff := cmp.Diff(strings.TrimSpace(tt.before), strings.TrimSpace(before)); diff != "" {
				t.Errorf("before the end (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(strings.TrimSpace(tt.after), strings.TrimSpace(after)); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
		})
	}
}
