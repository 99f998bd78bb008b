package session

import (
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// Bounds for a million mappings, far above what a machine at rest takes.
const (
	millionAttach = 60 * time.Second
	millionReport = 60 * time.Second
)

// TestFaultMillion attaches to a process with very many mappings, and sees as
// many being made. MMTRACE_FAULT_MAPPINGS is how many, as in 1000000.
func TestFaultMillion(t *testing.T) {
	n := env("MMTRACE_FAULT_MAPPINGS", 250_000)
	testutil.LockMachine(t)
	testutil.Sysctl(t, "vm/max_map_count", uint64(n)+100_000)
	exe := testutil.Compile(t, "many.c", "-O2")
	bytes := uint64(n) * uint64(os.Getpagesize())
	check := func(row *testutil.Fault, s *Session, attach time.Duration, ok func(*report.Report) bool) {
		begin := time.Now()
		s.Settle(Stopped)
		r := finalReport(s)
		took := time.Since(begin)
		q := r.Quality
		right := q.Verified && q.VerifiedBytes == q.LiveBytes && q.LiveBytes >= bytes && q.ExtraBytes+q.UnexplainedBytes == 0 &&
			attach < millionAttach && took < millionReport && ok(r)
		if !right {
			t.Errorf("attached in %v, reported in %v: %+v", attach, took, q)
		}
		row.Note("attached in %d ms, compared and reported in %d ms", attach.Milliseconds(), took.Milliseconds())
		row.Add(q.Lost, right)
	}
	t.Run("before", func(t *testing.T) {
		row := testutil.NewFault(t, fmt.Sprintf("%d mappings, from before they are made", n))
		p := testutil.Start(t, exe, fmt.Sprint(n))
		begin := time.Now()
		s := start(t, p.PID(), Config{NoResident: true})
		attach := time.Since(begin)
		var lines []string
		runOnly(t, s, func() { lines = p.Run() })
		check(row, s, attach, func(*report.Report) bool { return maps.Equal(outstandingByLeaf(s, "many_"), testutil.Truths(t, lines)) })
		p.Close()
	})
	t.Run("after", func(t *testing.T) {
		row := testutil.NewFault(t, fmt.Sprintf("%d mappings, from after", n))
		p := testutil.Start(t, exe, fmt.Sprint(n))
		p.Run()
		begin := time.Now()
		s := start(t, p.PID(), Config{NoResident: true})
		attach := time.Since(begin)
		check(row, s, attach, func(r *report.Report) bool { return len(r.Paths) == 0 && r.Totals.OldBytes >= bytes })
		p.Close()
	})
}

// runOnly traces until work returns.
func runOnly(t *testing.T, s *Session, work func()) {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		work()
	}()
	if _, err := s.Run(stop, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestFaultThreads follows ten thousand threads that map at once.
func TestFaultThreads(t *testing.T) {
	n := env("MMTRACE_FAULT_THREADS", 10_000)
	row := testutil.NewFault(t, fmt.Sprintf("%d threads at once", n))
	p := testutil.Start(t, testutil.Compile(t, "threads.c", "-O2"), fmt.Sprint(n))
	s := start(t, p.PID(), Config{})
	var lines []string
	runUntil(t, s, func() { lines = p.Run() })
	checkOracle(t, s)
	r := finalReport(s)
	truths, got := testutil.Truths(t, lines), make(map[string]uint64)
	for _, path := range r.Paths {
		for _, f := range path.Frames {
			if _, planted := truths[f.Function]; planted {
				got[f.Function] += path.Bytes
			}
		}
	}
	delete(truths, "thread_free") // 0
	right := r.Quality.Lost == 0 && r.Quality.Verified && maps.Equal(got, truths)
	if !right {
		t.Errorf("outstanding %v, want %v: %+v", got, truths, r.Quality)
	}
	row.Add(r.Quality.Lost, right)
	p.Close()
}

// TestFaultStorm follows a family of which hundreds fork, execute and exit in a
// moment.
func TestFaultStorm(t *testing.T) {
	rounds := env("MMTRACE_FAULT_ROUNDS", 100)
	row := testutil.NewFault(t, fmt.Sprintf("%d processes that fork, execute and exit", 4*rounds))
	p := testutil.Start(t, testutil.Compile(t, "storm.c", "-O2"), fmt.Sprint(rounds))
	s := start(t, p.PID(), Config{Follow: true})
	var lines []string
	runUntil(t, s, func() { lines = p.Run() })
	checkOracle(t, s)
	r := finalReport(s)
	var got uint64
	for _, path := range r.Paths {
		for _, f := range path.Frames {
			if f.Function == "storm_leak" {
				got += path.Bytes
				break
			}
		}
	}
	right := r.Quality.Lost == 0 && r.Quality.Verified && got == testutil.Truths(t, lines)["storm_leak"] && len(r.Targets) == 1+4*rounds
	if !right {
		t.Errorf("%d targets, %d bytes in storm_leak, said %q: %+v", len(r.Targets), got, lines, r.Quality)
	}
	row.Note("%d processes seen", len(r.Targets))
	row.Add(r.Quality.Lost, right)
	p.Close()
}
