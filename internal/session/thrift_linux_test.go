package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// TestThriftDecides checks what is left out at which cost.
func TestThriftDecides(t *testing.T) {
	type answer struct {
		Share float64
		More  bool
		Step  probe.Thrift
	}
	const ms event.Time = 1e6
	var x thrift
	var got []answer
	for _, at := range []struct{ spent, cpu event.Time }{
		{40 * ms, 199 * ms},     // too early to tell
		{40 * ms, 1040 * ms},    // 4 %
		{100 * ms, 2100 * ms},   // 6 %
		{150 * ms, 2200 * ms},   // too early again
		{160 * ms, 3160 * ms},   // 6 %, of all since the step before
		{1160 * ms, 4160 * ms},  // all that it did; nothing is left to be left out
		{1160 * ms, 14160 * ms}, // nothing: what was left out stays so
	} {
		share, more := x.decide(0.05, at.spent, at.cpu)
		got = append(got, answer{share, more, x.step})
	}
	want := []answer{
		{0, false, probe.ThriftNone},
		{0.04, false, probe.ThriftNone},
		{0.06, true, probe.ThriftUnmaps},
		{0, false, probe.ThriftUnmaps},
		{0.06, true, probe.ThriftHot},
		{1e9, false, probe.ThriftHot},
		{0, false, probe.ThriftHot},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestThrift has tracing leave out all that it can, and requires the counts to be
// exact and the paths right all the same.
func TestThrift(t *testing.T) {
	p := testutil.Start(t, testutil.Compile(t, "reuse.c", "-O2"), "2", "0")
	s := start(t, p.PID(), Config{MaxOverhead: 1e-6})
	lines := runUntilThrifty(t, s, p, func(c *probe.Counters) bool { return c.Assumed > 500 })
	checkOracle(t, s)
	checkExact(t, s)
	r := finalReport(s)
	checkReused(t, r, lines)
	o := r.Overhead
	checkSteps(t, &o)
	if o.Unstacked == 0 || o.Assumed == 0 || o.Checked == 0 || o.Differed != 0 || o.AssumedMappings == 0 {
		t.Errorf("what was left out: %+v", o)
	}
	t.Logf("tracing took %.1f %%, %.1f %% before a step and %.1f %% before another: %+v",
		100*o.Share(), 100*o.Steps[0].Share, 100*o.Steps[1].Share, o)
	p.Close()
}

// runUntilThrifty traces p until the counters say so and for a few ticks more, and
// returns the lines of p.
func runUntilThrifty(t *testing.T, s *Session, p *testutil.Proc, until func(*probe.Counters) bool) []string {
	t.Helper()
	const more = 5
	enough, over := make(chan struct{}), make(chan struct{})
	var lines []string
	go func() {
		defer close(over)
		p.Send("go")
		select {
		case <-enough:
		case <-time.After(testutil.Patience):
		}
		p.Send("stop")
		lines = p.WaitFor("done")
	}()
	ticks := 0
	why, err := s.Run(over, nil, nil, func() {
		if c, err := s.probe.Counters(); err != nil || !until(&c) {
			return
		}
		if ticks++; ticks == more {
			close(enough)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Settle(why)
	return lines
}

func checkSteps(t *testing.T, o *report.Overhead) {
	t.Helper()
	var steps []string
	for _, s := range o.Steps {
		steps = append(steps, s.What)
	}
	if d := cmp.Diff([]string{report.SavingUnmaps, report.SavingHot}, steps); d != "" {
		t.Fatalf("steps (-want +got):\n%s", d)
	}
	if o.Spent <= 0 || o.CPU <= 0 || o.Steps[0].Time >= o.Steps[1].Time {
		t.Errorf("overhead: %+v", o)
	}
}

// TestThriftIsToldWhereItErrs follows two paths that look alike from the end of
// the call. That a guess was wrong must be noticed, and be the last at that place.
func TestThriftIsToldWhereItErrs(t *testing.T) {
	p := testutil.Start(t, testutil.Compile(t, "hot.c", "-O2"))
	s := start(t, p.PID(), Config{MaxOverhead: 1e-6})
	runUntilThrifty(t, s, p, func(c *probe.Counters) bool { return c.Differed > 0 })
	checkExact(t, s)
	o := finalReport(s).Overhead
	checkSteps(t, &o)
	const run = 1000 // calls of one path in a row
	if o.Differed != 1 || o.Assumed == 0 || o.Assumed > run+16 {
		t.Errorf("what was left out: %+v", o)
	}
	t.Logf("%+v", o)
	p.Close()
}

// TestNoThrift checks that without a limit nothing is measured or left out.
func TestNoThrift(t *testing.T) {
	p := testutil.Start(t, testutil.Compile(t, "hot.c", "-O2"), "50")
	s := start(t, p.PID(), Config{})
	runUntil(t, s, func() { p.Run() })
	if d := cmp.Diff(report.Overhead{}, finalReport(s).Overhead); d != "" {
		t.Errorf("overhead (-want +got):\n%s", d)
	}
	p.Close()
}
