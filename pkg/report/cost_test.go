package report

import (
	"math"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// facts has 10,000 events, of which 1,000 were sampled among others' calls.
func costFacts(others uint64) *Facts {
	f := &Facts{Kernel: KernelFacts{Events: 10_000}}
	f.Cost = CostFacts{
		CallLonger: 75, MappingLonger: 120, Idle: 70, IdleLock: 50, IdleMapping: 180,
		Sampled: event.Time(100e6), Events: 1000, CPU: 1,
		Programs: []ProgramCost{
			{Name: "call_returned", Role: "return", Runs: 1000 + others, Time: 1000*900 + others*70},
			{Name: "forked", Runs: 7, Time: 1e9},
			{Name: "lock_acquired", Role: "lock", Runs: 1000 + 500, Time: 1000*100 + 500*50},
		},
	}
	return f
}

// An event costs what its two runs take, less what statistics add to them:
// 900+100-180+120 ns.
func TestCostOfEvents(t *testing.T) {
	for _, others := range []uint64{0, 1000, 15_000} {
		c := costOf(costFacts(others))
		if math.Abs(c.PerEvent-940) > 1e-6 || c.Lost != 9_400_000 || c.AtMost || c.NoEvent != "" || !c.Known {
			t.Errorf("with %d other calls: %+v", others, c)
		}
		if want := float64(1000+others) * 10; c.CallsPerSecond != want {
			t.Errorf("%f calls/s, want %f", c.CallsPerSecond, want)
		}
	}
}

// Among very many other calls the result is a bound: 100,000 of them at 70 ns may
// have taken a fifth less, and left 1,400 ns more for each event.
func TestCostAmongOthers(t *testing.T) {
	c := costOf(costFacts(100_000))
	if math.Abs(c.PerEvent-(940+1400+5)) > 1e-6 || !c.AtMost {
		t.Errorf("%+v", c)
	}
}

func TestCostUnknown(t *testing.T) {
	f := costFacts(50)
	f.Cost.Events = 0
	if c := costOf(f); c.NoEvent != "none" || c.PerEvent != 0 || c.Lost != 0 || c.CallsPerSecond == 0 {
		t.Errorf("without events: %+v", c)
	}
	f.Cost.Sampled, f.Cost.NotSampled = 0, NotSampledRight
	if c := costOf(f); c.NoEvent != NotSampledRight || c.CallsPerSecond != 0 || !c.Known {
		t.Errorf("without statistics: %+v", c)
	}
	if c := costOf(&Facts{}); c.Known || c.Lost != 0 {
		t.Errorf("an old recording: %+v", c)
	}
}
