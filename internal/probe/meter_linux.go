package probe

import (
	"errors"
	"fmt"
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

// slice adds one slice.
func (m *Meter) slice() error {
	before, err := m.p.efforts()
	if err != nil {
		return err
	}
	lower := func() {}
	if m.raise != nil {
		lower = m.raise()
	}
	stats, err := enableStats()
	lower()
	if err != nil {
		return err
	}
	quiet := make(map[string]Effort)
	start := time.Now()
	events, err1 := m.watch(quiet)
	took := time.Since(start)
	err2 := stats.Close()
	after, err3 := m.p.efforts()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	programs := make(map[string]Effort, len(after))
	for name, e := range after {
		programs[name] = m.sum.Programs[name].plus(e.minus(before[name]))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, e := range m.sum.Quiet {
		quiet[name] = quiet[name].plus(e)
	}
	m.sum = Metered{m.sum.Time + took, m.sum.Events + events, programs, quiet}
	return nil
}

// watch looks at the programs of mapping calls time and again for the length of a
// slice. It adds to quiet what they did between two looks that saw no event, and
// returns how many events it saw in all.
func (m *Meter) watch(quiet map[string]Effort) (events uint64, err error) {
	end := time.Now().Add(sliceTime)
	first, err := m.p.look()
	if err != nil {
		return 0, err
	}
	last := first
	for goOn := true; goOn && time.Now().Before(end); {
		goOn = m.wait(lookEvery)
		now, err := m.p.look()
		if err != nil {
			return 0, err
		}
		if now.events == last.events {
			for name, e := range now.efforts {
				quiet[name] = quiet[name].plus(e.minus(last.efforts[name]))
			}
		}
		last = now
	}
	return last.events - first.events, nil
}

// A glance is what was counted up to a moment.
type glance struct {
	events  uint64
	efforts map[string]Effort // of the programs of mapping calls
}

// look takes a few microseconds.
func (p *Probe) look() (g glance, err error) {
	g.efforts = make(map[string]Effort)
	for name, prog := range p.programs.Programs {
		if !IsReturn(name) && !IsLock(name) {
			continue
		}
		stats, err := prog.Stats()
		if err != nil {
			return g, fmt.Errorf("reading the statistics of %s: %w", name, err)
		}
		g.efforts[name] = Effort{stats.RunCount, uint64(stats.Runtime.Nanoseconds())}
	}
	g.events, err = p.counter(bpfCounterCOUNT_EVENTS)
	return g, err
}
