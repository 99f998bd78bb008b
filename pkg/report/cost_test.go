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
	for _, others := range []uint64{0, 1000, 10_000} {
		c := costOf(costFacts(others))
		if math.Abs(c.PerEvent-940) > 1e-6 || c.Lost != 9_400_000 || c.AtMost || c.NoEvent != "" || !c.Known {
			t.Errorf("with %d other calls: %+v", others, c)
		}
		if want := float64(1000+others) * 10; c.CallsPerSecond != want {
			t.Errorf("%f calls/s, want %f", c.CallsPerSecond, want)
		}
	}
}

// Quiet moments tell what other calls take; among 100,000 of them in the moments with
// events, 5 % of their time is in doubt, which is far more than the events take.
func TestCostAmongOthers(t *testing.T) {
	f := costFacts(120_000) // at 70 ns
	f.Cost.Idle = 40        // was measured on an idle machine
	f.Cost.Quiet = []ProgramCost{{Name: "call_returned", Role: "return", Runs: 20_000, Time: 20_000 * 70}, {Role: "lock", Runs: 3, Time: 1000}}
	c := costOf(f)
	if want := 940 - (1000.-150)/1000 + 0.05*100*70 + 0.2*497*50/1000; math.Abs(c.PerEvent-want) > 1e-6 || !c.AtMost {
		t.Errorf("%+v, want %v", c.PerEvent, want)
	}
	f.Cost.Programs[0].Runs, f.Cost.Programs[0].Time = 22_000, 1000*900+21_000*70
	if c = costOf(f); math.Abs(c.PerEvent-(940-0.85)) > 1e-6 || c.AtMost {
		t.Errorf("with 1000 others beside the events: %+v", c)
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
