package probe

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// TestSelf traces the test's own process and requires the two calls that it
// makes to arrive, in their order and with the stack of the first.
func TestSelf(t *testing.T) {
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) { traceSelf(t, o) })
	}
}

func traceSelf(t *testing.T, o Order) {
	const size = 12345 // nobody else's
	p, err := Open(Options{Order: o})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer p.Close()
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	found, err := p.Add([]Target{{Pidfd: fd, Cookie: 7}})
	if err != nil || len(found) != 1 || found[0].Cookie != 7 || found[0].Space == event.NoSpace {
		t.Fatalf("found %+v, %v", found, err)
	}
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Munmap(b); err != nil {
		t.Fatal(err)
	}
	var calls []event.Event
	stacks := make(map[any]bool)
	for {
		var ev event.Event
		p.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if err := p.Read(&ev); errors.Is(err, ErrTimeout) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch {
		case ev.Kind == event.StackDef:
			stacks[ev.Stack] = len(ev.Frames) > 0
		case ev.Args[1] == size:
			calls = append(calls, ev)
		}
	}
	var kinds []event.Kind
	for _, ev := range calls {
		kinds = append(kinds, ev.Kind)
	}
	if d := cmp.Diff([]event.Kind{event.Mmap, event.Munmap}, kinds); d != "" {
		t.Fatalf("calls (-want +got):\n%s", d)
	}
	m, u := calls[0], calls[1]
	if u.Seq <= m.Seq || uint64(m.Ret) != u.Args[0] || m.Space != found[0].Space || (m.TotalVM != 0) != (o == OrderLock) || !stacks[m.Stack] {
		t.Errorf("mmap %+v\nmunmap %+v\nstacks %v", m, u, stacks)
	}
	c, err := p.Counters()
	if err != nil || c.Lost+c.StacksLost+c.MapFull+c.Missed != 0 || c.Events < 2 {
		t.Errorf("counters %+v, %v", c, err)
	}
}
