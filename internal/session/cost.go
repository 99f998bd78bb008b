package session

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// costs follows what the trace itself costs.
type costs struct {
	calls probe.OwnCalls // before the programs were there
	base  probe.Baseline
	meter *probe.Meter // nil until the targets are attached
	cpus  map[event.PID]*cpuTime
	own   time.Duration // of this process when the window began
	spent time.Duration // in the window, once it has ended
}

// A cpuTime is the CPU time of a target when it came under trace, and when it was
// last looked at.
type cpuTime struct{ first, last time.Duration }

// newCosts must be called before the programs are loaded.
func newCosts() *costs {
	return &costs{calls: probe.MeasureOwnCalls(), cpus: make(map[event.PID]*cpuTime)}
}

// measureBaseline must be called when the programs are attached and nothing is traced.
// Without the right to more, calls of this process are timed all the same.
func (s *Session) measureBaseline() {
	var err error
	if s.costs.base, err = s.probe.Baseline(s.costs.calls); err != nil && !errors.Is(err, fs.ErrPermission) {
		s.note("measuring what tracing costs", err)
	}
}

// startCosts begins to measure, when the window begins.
func (s *Session) startCosts() {
	s.costs.own = procfs.OwnCPU()
	s.costs.meter = s.probe.StartMeter(s.cfg.Raise)
}

// follow notes the CPU time of a process. One that was born under trace had none.
func (c *costs) follow(p *procfs.Process, born bool) {
	if c.cpus[p.PID()] != nil {
		return // it executed another program
	}
	x := &cpuTime{}
	if n, err := p.CPUTime(); err == nil {
		x.last = n
		if !born {
			x.first = n
		}
	}
	c.cpus[p.PID()] = x
}

// look takes over the CPU time of a process, unless it has ended.
func (c *costs) look(p *procfs.Process) {
	if x := c.cpus[p.PID()]; x != nil {
		if n, err := p.CPUTime(); err == nil {
			x.last = max(x.last, n)
		}
	}
}

// close ends the measuring, if it was begun.
func (c *costs) close() {
	if c.meter != nil {
		_, _ = c.meter.Stop()
		c.meter = nil
	}
}

// costFacts takes over what was measured so far. The meter ends if that is final.
func (s *Session) costFacts(final bool) {
	c := s.costs
	for _, p := range s.procs {
		c.look(p.Process)
	}
	f := &s.facts.Cost
	f.CallLonger, f.MappingLonger = c.base.Longer.Other, c.base.Longer.Mapping
	f.Idle, f.IdleLock, f.IdleMapping = c.base.Idle, c.base.IdleLock, c.base.IdleMapping
	f.TargetCPU = 0
	for _, x := range c.cpus {
		f.TargetCPU += event.Time(x.last - x.first)
	}
	c.spent = procfs.OwnCPU() - c.own
	f.CPU = event.Time(c.spent)
	f.Maps = s.probe.MapBytes()
	if c.meter == nil {
		return
	}
	m, err := c.meter.Sum()
	if final {
		m, err = c.meter.Stop()
		c.meter = nil
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.NotSampled = report.NotSampledRight
	case err != nil:
		f.NotSampled = report.NotSampledError
		s.note("measuring what tracing costs", err)
	}
	f.Sampled, f.Events, f.Programs = event.Time(m.Time), m.Events, programCosts(m.Programs)
	f.Quiet = programCosts(m.Quiet)
}

// programCosts returns the efforts by name.
func programCosts(efforts map[string]probe.Effort) []report.ProgramCost {
	var out []report.ProgramCost
	for _, name := range slices.Sorted(maps.Keys(efforts)) {
		c := report.ProgramCost{Name: name, Runs: efforts[name].Runs, Time: efforts[name].Time}
		switch {
		case probe.IsReturn(name):
			c.Role = "return"
		case probe.IsLock(name):
			c.Role = "lock"
		}
		out = append(out, c)
	}
	return out
}

// ownFacts notes what this process used so far, outside of the window, too.
func (s *Session) ownFacts() {
	f := &s.facts.Cost
	f.OtherCPU = event.Time(procfs.OwnCPU() - s.costs.spent)
	if n, err := procfs.OwnPeak(); err == nil {
		f.Memory = n
	}
}
