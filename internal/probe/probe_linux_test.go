package probe

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// TestSelf traces the test's own process and requires the two calls that it
// makes to arrive, in their order and with the stack of the first.
func TestSelf(t *testing.T) {
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) {
			p := openFor(t, Options{Order: o})
			traceSelf(t, p, o)
		})
	}
}

// TestAttach does so in each order with each way to attach: to hooks by their
// types (BPF_TRACE_RAW_TP, "tp_btf"), and without (BPF_RAW_TRACEPOINT_OPEN,
// "raw_tp"), which is the fallback of kernels without these types. It says which
// programs that are, and what the kernel would have by itself.
func TestAttach(t *testing.T) {
	t.Run("auto", func(t *testing.T) {
		p := openFor(t, Options{})
		o, why := p.Order()
		if why != "" {
			why = ": " + why
		}
		t.Logf("attach| auto: %s, by %s%s", o, attached(p), why)
		traceSelf(t, p, o)
	})
	for _, o := range orders {
		for way, plain := range map[string]bool{"tp_btf": false, "raw_tp": true} {
			t.Run(string(o)+"-"+way, func(t *testing.T) {
				p := openFor(t, Options{Order: o, plain: plain})
				t.Logf("attach| asked: %s, by %s", o, attached(p))
				if got := p.programs.Programs["call_returned_raw"] != nil; got != plain {
					t.Errorf("attached as %s", attached(p))
				}
				traceSelf(t, p, o)
			})
		}
	}
}

// attached lists the programs of a probe that are one of several for their hooks.
func attached(p *Probe) string {
	var list []string
	for _, name := range attachOrder {
		prog := p.programs.Programs[name]
		if prog == nil || !strings.HasPrefix(name, "call_") && !strings.HasPrefix(name, "lock_") {
			continue
		}
		way := "tp_btf"
		if prog.Type() == ebpf.RawTracepoint {
			way = "raw_tp"
		}
		list = append(list, way+" "+name)
	}
	return strings.Join(list, ", ")
}

func openFor(t *testing.T, o Options) *Probe {
	t.Helper()
	p, err := Open(o)
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// traceSelf traces this process with p, which puts changes in order by o.
func traceSelf(t *testing.T, p *Probe, o Order) {
	const size = 12345 // nobody else's
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
