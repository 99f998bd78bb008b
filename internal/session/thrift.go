package session

import (
	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// enoughCPU is how long the targets must have run, in ns, before the cost of
// tracing is compared with it: their time is told in steps of 10 ms.
const enoughCPU event.Time = 200e6

// A thrift decides what to leave out when tracing costs too much. What was left
// out stays so: a target that is busy again would pay again to find that out.
type thrift struct {
	step       probe.Thrift
	spent, cpu event.Time // when it last decided
}

var savings = map[probe.Thrift]string{
	probe.ThriftUnmaps: report.SavingUnmaps,
	probe.ThriftHot:    report.SavingHot,
}

// decide takes the time in ns that the kernel side has spent so far and the CPU
// time of the targets, which takes that in. It returns what tracing took lately,
// and whether something more is to be left out.
func (t *thrift) decide(limit float64, spent, cpu event.Time) (share float64, more bool) {
	ran := (cpu - t.cpu) - (spent - t.spent)
	if cpu-t.cpu < enoughCPU {
		return 0, false
	}
	share = float64(spent-t.spent) / float64(max(ran, 1))
	t.spent, t.cpu = spent, cpu
	if share <= limit || t.step == probe.ThriftHot {
		return share, false
	}
	t.step++
	return share, true
}

// save has the kernel side leave something out if it costs too much. It is called
// after a sample.
func (s *Session) save() {
	limit := s.cfg.MaxOverhead
	if limit <= 0 {
		return
	}
	c, err := s.probe.Counters()
	if err != nil {
		return
	}
	share, more := s.thrift.decide(limit, event.Time(c.Spent), s.trends.used())
	if !more {
		return
	}
	if err := s.probe.SetThrift(s.thrift.step); err != nil {
		s.note("saving time", err)
		return
	}
	s.facts.Overhead.Steps = append(s.facts.Overhead.Steps,
		report.Saving{What: savings[s.thrift.step], Time: now() - s.begin, Share: share})
}

// countOverhead takes over what tracing cost so far.
func (s *Session) countOverhead() {
	if s.cfg.MaxOverhead <= 0 {
		return
	}
	c, o := &s.last, &s.facts.Overhead
	o.Spent = event.Time(c.Spent)
	o.CPU = max(0, s.trends.used()-o.Spent)
	o.Unstacked, o.Assumed, o.Checked, o.Differed = c.Unstacked, c.Assumed, c.Checked, c.Differed
}
