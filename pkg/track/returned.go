package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

const eNOMEM = 12

// Advice of madvise(2) that gives memory back.
const (
	adviceDontNeed       = 4
	adviceFree           = 8
	adviceRemove         = 9
	adviceDontNeedLocked = 24 // Linux 5.18
)

// Returned says what madvise gave back of a mapping while it stayed mapped. A
// page that is written to and given back again counts each time. All but Calls
// are bytes.
type Returned struct {
	Calls uint64
	// Bytes is all of it; of that Lazy was given with MADV_FREE: the kernel takes it
	// when it needs it, and RSS counts it until then.
	Bytes, Lazy uint64

	newest event.Time // of the calls
}

// Add adds o to r.
func (r *Returned) Add(o Returned) {
	r.Calls += o.Calls
	r.Bytes += o.Bytes
	r.Lazy += o.Lazy
}

// Returned returns what madvise gave back of a mapping of which something is left.
func (t *Tracker) Returned(m *Mapping) Returned { return t.returned[m] }

// madvise counts what a call gives back. Of shared memory MADV_DONTNEED gives back
// nothing but the page tables of this process. process_madvise comes here range by
// range: it gives back only what is the caller's own, see bpf/advice.h.
func (t *Tracker) madvise(sp *Space, ev *event.Event) {
	advice := int32(ev.Args[2])
	switch advice {
	case adviceDontNeed, adviceFree, adviceRemove, adviceDontNeedLocked:
	default:
		return
	}
	t.stats.Untold += ev.Aux
	r := interval.Of(ev.Args[0], ev.Args[1]).Align(t.page)
	for e := range sp.Live.Over(r) {
		m, n := e.Value.Mapping, e.Intersect(r).Len()
		if m.Shared && advice != adviceRemove {
			continue
		}
		if m.Origin != Observed {
			t.stats.OldReturned += n
			continue
		}
		sum := t.returned[m]
		sum.Bytes += n
		if advice == adviceFree {
			sum.Lazy += n
		}
		if sum.newest != ev.Time { // not another piece, or another range, of the same call
			sum.Calls++
		}
		sum.newest = ev.Time
		t.returned[m] = sum
	}
}
