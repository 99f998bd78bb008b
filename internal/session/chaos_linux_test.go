package session

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// env returns a number from the environment.
func env(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// TestChaos follows eight threads and two children that race over one arena with
// every call that there is. MMTRACE_CHAOS_RUNS runs of MMTRACE_CHAOS_SECONDS
// seconds each, with seeds from MMTRACE_CHAOS_SEED on.
func TestChaos(t *testing.T) { chaos(t, ordering) }

func chaos(t *testing.T, o probe.Order) {
	seconds, runs, seed := env("MMTRACE_CHAOS_SECONDS", 3), env("MMTRACE_CHAOS_RUNS", 1), env("MMTRACE_CHAOS_SEED", 1)
	exe := testutil.Compile(t, "chaos.c", "-O2")
	for i := range runs {
		t.Run(fmt.Sprint(seed+i), func(t *testing.T) {
			p := testutil.Start(t, exe, fmt.Sprint(seconds), "8", "2", fmt.Sprint(seed+i))
			s := start(t, p.PID(), Config{Follow: true, Order: o})
			begin := time.Now()
			runUntil(t, s, func() { p.Run() })
			checkOracle(t, s)
			checkRepaired(t, s)
			checkCounted(t, s)
			st := s.trace.Tracker().Stats()
			t.Logf("%v: %d events, %d checks of page counts, order %+v",
				time.Since(begin), s.facts.Kernel.Events, st.Checks, s.trace.Order())
			p.Close()
		})
	}
}

// TestAttachMidway attaches while the storm is on, so that the first reading of
// the map is made over changes in motion. Page counts may mean nothing before it
// is over: of a mapping that moves during each reading nobody knows the pieces.
func TestAttachMidway(t *testing.T) { attachMidway(t, ordering) }

func attachMidway(t *testing.T, o probe.Order) {
	exe := testutil.Compile(t, "chaos.c", "-O2")
	for i := range env("MMTRACE_ATTACH_RUNS", 5) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := testutil.Start(t, exe, "2", "8", "0", fmt.Sprint(i+1))
			p.Send("go")
			// An emulated machine does not come to as many while the storm lasts.
			eventually(t, "the first changes", func() bool { return minorFaults(p.PID()) > env("MMTRACE_ATTACH_FAULTS", 2000) })
			s := start(t, p.PID(), Config{CheckReplays: true, Order: o})
			runUntil(t, s, func() { p.WaitFor("done") })
			checkOracle(t, s)
			checkRepaired(t, s)
			checkReplays(t, s, 0)
			p.Close()
		})
	}
}

// waitForLoss applies nothing until records are lost: then the reader, too, has
// to wait, however slow the machine is.
func waitForLoss(t *testing.T, s *Session) {
	t.Helper()
	eventually(t, "a record to be lost", func() bool {
		c, err := s.probe.Counters()
		return err == nil && c.Lost > 0
	})
}

// TestLoss traces with a ring that is far too small. What is lost must be said,
// and the live map must be right all the same.
func TestLoss(t *testing.T) { loss(t, ordering) }

func loss(t *testing.T, o probe.Order) {
	exe := testutil.Compile(t, "chaos.c", "-O2")
	for _, children := range []string{"0", "2"} {
		t.Run(children+"-children", func(t *testing.T) {
			p := testutil.Start(t, exe, "2", "8", children, "5")
			s := start(t, p.PID(), Config{Follow: true, RingBytes: 16 << 10, batch: 1, CheckReplays: true, Order: o})
			p.Send("go")
			waitForLoss(t, s)
			runUntil(t, s, func() { p.WaitFor("done") })
			checkOracle(t, s)
			checkReplays(t, s, 1)
			r := finalReport(s)
			q := r.Quality
			if q.Lost == 0 || q.Lost != s.last.Lost {
				t.Errorf("%d records lost, the report says %d", s.last.Lost, q.Lost)
			}
			if q.Uncertain == 0 {
				t.Error("no mapping is marked as uncertain")
			}
			if q.ExactSince <= 0 || q.ExactSince > r.Window.Duration {
				t.Errorf("exact since %d ns of %d", q.ExactSince, r.Window.Duration)
			}
			if !q.Verified || q.VerifiedBytes != q.LiveBytes || q.ExtraBytes+q.UnexplainedBytes > 0 {
				t.Errorf("not verified: %+v", q)
			}
			t.Logf("%+v", q)
			p.Close()
		})
	}
}

// TestCongruentThreads traces threads whose IDs differ by what the kernel side's
// slots for calls in flight are counted by: while one is in its slot, the other has
// to be found elsewhere.
func TestCongruentThreads(t *testing.T) {
	testutil.LockMachine(t)
	testutil.Sysctl(t, "kernel/pid_max", max(1<<20, testutil.ReadSysctl(t, "kernel/pid_max")))
	p := testutil.Start(t, testutil.Compile(t, "congruent.c", "-O2"))
	s := start(t, p.PID(), Config{})
	var lines []string
	runUntil(t, s, func() { lines = p.Run() })
	checkOracle(t, s)
	checkExact(t, s)
	if got, want := outstandingByLeaf(s, "congruent_"), testutil.Truths(t, lines); !maps.Equal(got, want) {
		t.Errorf("outstanding: got %v, want %v", got, want)
	}
	p.Close()
}
