package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// pairTime runs the fixture that does nothing but map and unmap, and returns the
// ns of an ordinary pair.
func pairTime(t *testing.T, fx *testutil.Proc) (ns float64) {
	t.Helper()
	for _, line := range fx.Run() {
		if strings.HasPrefix(line, "ns p50 ") {
			if _, err := fmt.Sscanf(line, "ns p50 %f", &ns); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ns == 0 {
		t.Fatal("the fixture tells no times")
	}
	return ns
}

// pairs starts it, to run for a second.
func pairs(t *testing.T) *testutil.Proc {
	t.Helper()
	return testutil.Start(t, testutil.Compile(t, "pairs.c", "-O2"), "1")
}

// What a report says that an event cost is what the target itself measures: by
// how much a pair of calls takes longer while it is traced. The machine may be
// disturbed in between, so the middle one of some tries counts.
func TestCostIsWhatTheTargetLoses(t *testing.T) {
	const (
		tries    = 3
		low, top = 0.5, 1.6
	)
	var said []string
	var ratios []float64
	plausible := false
	for range tries {
		before := pairTime(t, pairs(t))
		fx := pairs(t)
		s := start(t, fx.PID(), Config{NoResident: true})
		var during float64
		runUntil(t, s, func() { during = pairTime(t, fx) })
		c := finalReport(s).Cost
		after := pairTime(t, pairs(t))
		if bad := implausible(&c); len(bad) > 0 {
			said = append(said, bad...)
		} else {
			plausible = true
		}
		truth := (during - (before+after)/2) / 2
		said = append(said, fmt.Sprintf("%.0f ns an event; pairs of %.0f, %.0f and %.0f ns, so %.0f", c.PerEvent, before, during, after, truth))
		t.Log(strings.Join(said, "\n"))
		if c.NoEvent != "" || c.AtMost {
			t.Errorf("not certain: %+v", c)
		}
		ratios = append(ratios, c.PerEvent/truth)
	}
	if !plausible { // once in a while another tracer comes or goes in between
		t.Errorf("implausible:\n%s", strings.Join(said, "\n"))
	}
	slices.Sort(ratios)
	if middle := ratios[tries/2]; middle < low || middle > top {
		t.Errorf("the report says %.2f times what the target measures:\n%s", middle, strings.Join(said, "\n"))
	}
}

// implausible returns what cannot be true of any cost on any machine.
func implausible(c *report.Cost) (bad []string) {
	if !c.Known || c.NotSampled != "" {
		return []string{fmt.Sprintf("nothing was measured: %+v", c)}
	}
	within := func(what string, got, low, top float64) {
		if got < low || got > top {
			bad = append(bad, fmt.Sprintf("%s: %v, want %v to %v", what, got, low, top))
		}
	}
	within("another call, ns", c.CallLonger, 5, 2000)
	within("calls of the machine each second", c.CallsPerSecond, 10_000, 1e8)
	within("time sampled, ms", float64(c.Sampled)/1e6, 15, 400)
	within("events sampled", float64(c.CostFacts.Events), 1000, 1e7)
	within("CPU time of the target, ms", float64(c.TargetCPU)/1e6, 20, 3000)
	within("own CPU time, ms", float64(c.CPU)/1e6, 1, 6000)
	within("own CPU time else, ms", float64(c.OtherCPU)/1e6, 1, 60_000)
	within("own memory, MiB", float64(c.Memory)/(1<<20), 20, 4096)
	within("memory of maps, MiB", float64(c.Maps)/(1<<20), float64(64), 256)
	var runs uint64
	for _, p := range c.Programs {
		if p.Role == "return" {
			runs += p.Runs
		}
	}
	within("runs at the return of calls, per event", float64(runs)/float64(c.CostFacts.Events), 0.98, 100)
	return bad
}

// An interim report has the cost so far, and measuring goes on.
func TestCostOfInterim(t *testing.T) {
	fx := pairs(t)
	s := start(t, fx.PID(), Config{NoResident: true})
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		fx.Run()
	}()
	if _, err := s.Run(stop, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	first, err := s.Interim()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "another slice", func() bool {
		m, err := s.costs.meter.Sum()
		return err != nil || int64(m.Time) > int64(first.Cost.Sampled)
	})
	s.Settle(Stopped)
	last := finalReport(s)
	if !first.Cost.Known || first.Cost.PerEvent == 0 || last.Cost.Sampled <= first.Cost.Sampled || last.Cost.CPU <= first.Cost.CPU {
		t.Errorf("first %+v, then %+v", first.Cost, last.Cost)
	}
	if time.Duration(last.Cost.TargetCPU) < time.Duration(first.Cost.TargetCPU) {
		t.Errorf("CPU time of the target: %d, then %d", first.Cost.TargetCPU, last.Cost.TargetCPU)
	}
}
