package probe

import (
	"errors"
	"io/fs"
	"sync"
	"time"
)

// A Meter measures in short slices what the programs cost, beside the tracing.
type Meter struct {
	p    *Probe
	stop chan struct{}
	done chan struct{}
	mu   sync.Mutex
	sum  Metered // under mu; its map is made anew for each change
	err  error   // under mu
	// raise gets the calling thread the right to switch statistics on and returns
	// what gives it up again. It may be nil.
	raise func() func()
}

// StartMeter begins to measure. raise, if not nil, is called around what takes
// CAP_SYS_ADMIN.
func (p *Probe) StartMeter(raise func() func()) *Meter {
	m := &Meter{p: p, stop: make(chan struct{}), done: make(chan struct{}), raise: raise}
	go m.run()
	return m
}

// Stop ends the measuring and returns the sum of all slices. The error says why
// there is none.
func (m *Meter) Stop() (Metered, error) {
	close(m.stop)
	<-m.done
	return m.Sum()
}

// Sum returns what there is so far. It is not to be changed.
func (m *Meter) Sum() (Metered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum, m.err
}

func (m *Meter) run() {
	defer close(m.done)
	for i := 0; ; i++ {
		if err := m.slice(); err != nil {
			m.mu.Lock()
			m.err = err
			m.mu.Unlock()
			return
		}
		if !m.wait(pause(i, m.sum.Events)) { // only this goroutine writes it
			return
		}
	}
}

// wait returns false at once when the meter is stopped.
func (m *Meter) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-m.stop:
		return false
	case <-timer.C:
		return true
	}
}

// slice adds one slice. Where the statistics are on anyway (the sysctl
// kernel.bpf_stats_enabled), it needs no right.
func (m *Meter) slice() error {
	before, err := m.p.efforts()
	if err != nil {
		return err
	}
	lower := func() {}
	if m.raise != nil {
		lower = m.raise()
	}
	stats, enabling := enableStats()
	lower()
	if enabling != nil && !errors.Is(enabling, fs.ErrPermission) {
		return enabling
	}
	events, err1 := m.p.Counters()
	start := time.Now()
	m.wait(sliceTime)
	took := time.Since(start)
	last, err2 := m.p.Counters()
	if stats != nil {
		err2 = errors.Join(err2, stats.Close())
	}
	after, err3 := m.p.efforts()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	runs := uint64(0)
	programs := make(map[string]Effort, len(after))
	for name, e := range after {
		d := e.minus(before[name])
		programs[name] = m.sum.Programs[name].plus(d)
		runs += d.Runs
	}
	if runs == 0 && enabling != nil { // at least the meter's own calls would have been counted
		return enabling
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum = Metered{m.sum.Time + took, m.sum.Events + last.Events - events.Events, programs}
	return nil
}
