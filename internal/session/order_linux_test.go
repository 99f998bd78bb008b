package session

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"testing"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// orders are both ways to put changes in order.
var orders = []probe.Order{probe.OrderLock, probe.OrderCalls}

// reuses finds the planted functions of reuse.c.
var reuses = regexp.MustCompile(`^reuse_(kept|passed)$`)

// TestReuse follows threads that are given each other's addresses, pass what they
// mapped on and move it. In either order of changes every byte must belong to the
// path that mapped it, and no reading of the map may have had to correct anything.
func TestReuse(t *testing.T) {
	exe := testutil.Compile(t, "reuse.c", "-O2")
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) {
			for i := range env("MMTRACE_REUSE_RUNS", 2) {
				t.Run(fmt.Sprint(i), func(t *testing.T) { reuse(t, exe, o) })
			}
		})
	}
}

// TestCasesByCalls, and the others here, do what their namesakes do where changes
// are ordered by calls.
func TestCasesByCalls(t *testing.T) {
	var builds []build
	for _, b := range caseBuilds { // how stacks are walked does not depend on the order
		if b.name == "O2" || b.name == "raw-static" {
			builds = append(builds, b)
		}
	}
	cases(t, builds, probe.OrderCalls)
}

func TestChaosByCalls(t *testing.T) { chaos(t, probe.OrderCalls) }

func TestAttachMidwayByCalls(t *testing.T) { attachMidway(t, probe.OrderCalls) }

func TestLossByCalls(t *testing.T) { loss(t, probe.OrderCalls) }

func TestSemanticsByCalls(t *testing.T) { semantics(t, probe.OrderCalls) }

// TestRacedCalls follows threads that map one fixed place at the same moment. By the
// lock the owner is known; by calls it is not, and the report says of how much.
func TestRacedCalls(t *testing.T) {
	exe := testutil.Compile(t, "raced.c", "-O2")
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) {
			p := testutil.Start(t, exe)
			s := start(t, p.PID(), Config{Order: o})
			var lines []string
			runUntil(t, s, func() { lines = p.Run() })
			checkOracle(t, s)
			var want report.Amount
			if o == probe.OrderCalls {
				want.Bytes = testutil.Truths(t, lines)["raced"]
				want.Count = want.Bytes / (4 * uint64(os.Getpagesize()))
			}
			if got := finalReport(s).Quality.Raced; got != want {
				t.Errorf("raced for %+v, want %+v", got, want)
			}
			p.Close()
		})
	}
}

func reuse(t *testing.T, exe string, o probe.Order) {
	p := testutil.Start(t, exe, "4", fmt.Sprint(env("MMTRACE_REUSE_ROUNDS", 20000)))
	s := start(t, p.PID(), Config{Order: o})
	var lines []string
	runUntil(t, s, func() { lines = p.Run() })
	checkOracle(t, s)
	checkExact(t, s)
	if c := s.trace.Tracker().Stats(); c.UnknownUnmap+c.OldUnmapped+c.Overlaid > 0 {
		t.Errorf("%d bytes were given back that nobody had, %d of before, %d replaced",
			c.UnknownUnmap, c.OldUnmapped, c.Overlaid)
	}
	r := finalReport(s)
	checkReused(t, r, lines)
	if r.Quality.Raced.Count > 0 {
		t.Errorf("raced for %+v, though each takes what it is given", r.Quality.Raced)
	}
	t.Logf("order %+v", s.trace.Order())
	p.Close()
}

// checkReused compares the outstanding bytes of the functions of reuse.c with what
// it says.
func checkReused(t *testing.T, r *report.Report, lines []string) {
	t.Helper()
	got := make(map[string]uint64)
	for _, path := range r.Paths {
		for _, f := range path.Frames {
			if reuses.MatchString(f.Function) {
				got[f.Function] += path.Bytes
				break
			}
		}
	}
	if want := testutil.Truths(t, lines); !maps.Equal(got, want) {
		t.Errorf("outstanding: got %v, want %v", got, want)
	}
}
