package probe

import (
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// InEffect returns the newest number up to which every change of a space has
// happened, given a number that State has just returned.
//
// Under OrderLock the change of that number may be under way just now. Under
// OrderCalls every call that gives something back got its number when it began,
// and may do so yet. The kernel side notes a number that is no more than the
// call's before it takes that one: so whoever reads the space's number first
// misses none.
func (p *Probe) InEffect(id event.SpaceID, seq uint64) (uint64, error) {
	if p.order == OrderLock {
		return max(seq, 1) - 1, nil
	}
	err := p.inflights(id, func(_ uint32, f *bpfInflight) {
		if f.Seq != 0 {
			seq = min(seq, f.Seq-1)
		}
	})
	return seq, err
}

const returnPoll = 500 * time.Microsecond

// AwaitReturns waits until the calls that are changing a space now have returned,
// for at most the given time. What they map has its number then. Under OrderLock
// it had so before, and nothing is waited for.
func (p *Probe) AwaitReturns(id event.SpaceID, limit time.Duration) error {
	if p.order == OrderLock {
		return nil
	}
	began := make(map[uint32]uint64) // by thread
	err := p.inflights(id, func(tid uint32, f *bpfInflight) { began[tid] = f.Began })
	for deadline := time.Now().Add(limit); err == nil && len(began) > 0 && time.Now().Before(deadline); {
		time.Sleep(returnPoll)
		still := make(map[uint32]uint64)
		err = p.inflights(id, func(tid uint32, f *bpfInflight) {
			if began[tid] == f.Began {
				still[tid] = f.Began
			}
		})
		began = still
	}
	return err
}
