package session

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// start opens a process and attaches to it.
func start(t *testing.T, pid int, cfg Config) *Session {
	t.Helper()
	p, err := procfs.Open(event.PID(pid))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Targets = append(cfg.Targets, p)
	s, err := Start(cfg)
	if err != nil {
		p.Close()
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		p.Close()
	})
	return s
}

// runUntil traces until work returns, and settles.
func runUntil(t *testing.T, s *Session, work func()) {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		work()
	}()
	why, err := s.Run(stop, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Settle(why)
}

// checkOracle compares the live set of every process with its /proc/PID/maps.
func checkOracle(t *testing.T, s *Session) {
	t.Helper()
	for pid, p := range s.trace.Tracker().Processes() {
		if p.Ended {
			continue
		}
		if sp := s.trace.Tracker().Spaces()[p.Space]; sp.Ended {
			t.Logf("process %d: ended space, not ended: %+v", pid, p)
			continue
		}
		f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
		if err != nil {
			t.Fatal(err)
		}
		kernel, err := procfs.ParseMaps(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		sp := s.trace.Tracker().Spaces()[p.Space]
		var tracked []interval.Range
		for e := range sp.Live.All() {
			tracked = append(tracked, e.Range)
		}
		missing, extra := conformance.Diff(kernel, tracked)
		if len(missing)+len(extra) > 0 {
			t.Errorf("process %d: missing %v, extra %v", pid, missing, extra)
		}
		if c := sp.Settled; c.Extra+c.Unexplained > 0 || !c.Done {
			t.Errorf("process %d: not settled: %+v", pid, c)
		}
	}
}

func TestChaos(t *testing.T) {
	seconds, runs := 3, 1
	if n, err := strconv.Atoi(os.Getenv("MMTRACE_CHAOS_SECONDS")); err == nil {
		seconds = n
	}
	if n, err := strconv.Atoi(os.Getenv("MMTRACE_CHAOS_RUNS")); err == nil {
		runs = n
	}
	exe := testutil.Compile(t, "chaos.c", "-O2")
	for i := range runs {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := testutil.Start(t, exe, fmt.Sprint(seconds), "8", "2", fmt.Sprint(i+1))
			s := start(t, p.PID(), Config{Follow: true})
			begin := time.Now()
			runUntil(t, s, func() { p.Run() })
			checkOracle(t, s)
			st := s.trace.Tracker().Stats()
			if s.facts.Kernel.Lost+s.facts.Kernel.Missed+s.facts.Kernel.MapFull > 0 {
				t.Errorf("lost: %+v", s.facts.Kernel)
			}
			t.Logf("%v: %+v order %+v kernel %+v", time.Since(begin), st, s.trace.Order(), s.last)
		})
	}
}
