package session

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// ordering is the order in which tests trace if they do not ask for one: the
// exact one, or that which MMTRACE_ORDER names.
var ordering = cmp.Or(probe.Order(os.Getenv("MMTRACE_ORDER")), probe.OrderLock)

// byCalls reports whether changes are ordered by calls, so that page counts are
// not known.
func byCalls(s *Session) bool { return s.facts.Kernel.OrderMode == string(probe.OrderCalls) }

// start opens a process and attaches to it.
func start(t testing.TB, pid int, cfg Config) *Session {
	t.Helper()
	if cfg.Order == probe.OrderAuto {
		cfg.Order = ordering
	}
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
func runUntil(t testing.TB, s *Session, work func()) {
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

// catchUp applies all that has happened until now.
func catchUp(t testing.TB, s *Session) {
	t.Helper()
	if !s.CatchUp(testutil.Patience) {
		t.Fatalf("the trace does not catch up: order %+v, kernel %+v", s.trace.Order(), s.last)
	}
}

// compare returns how a process's live map and what of it is closed differ from
// the kernel's, empty if they do not.
func compare(t testing.TB, s *Session, pid event.PID) string {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		held := s.procs[pid]
		return fmt.Sprintf("%v; held %t, alive %t, tracked as %+v", err, held != nil, held != nil && held.Alive(), s.trace.Tracker().Processes()[pid])
	}
	defer f.Close()
	kernel, err := procfs.ParseMaps(f)
	if err != nil {
		t.Fatal(err)
	}
	p := s.trace.Tracker().Processes()[pid]
	if p == nil {
		t.Fatalf("process %d is not under trace", pid)
	}
	var tracked, closed []interval.Range
	for e := range s.trace.Tracker().Spaces()[p.Space].Live.All() {
		tracked = append(tracked, e.Range)
		if e.Value.Closed {
			closed = append(closed, e.Range)
		}
	}
	missing, extra := conformance.Diff(kernel, tracked)
	open, shut := conformance.Diff(slices.DeleteFunc(kernel, func(r event.Region) bool { return r.Prot != 0 }), closed)
	if len(missing)+len(extra)+len(open)+len(shut) == 0 {
		return ""
	}
	why := fmt.Sprintf("missing %v, extra %v; should be closed %v, and not %v", missing, extra, open, shut)
	for _, r := range extra {
		for e := range s.trace.Tracker().Spaces()[p.Space].Live.Over(r) {
			m := e.Value.Mapping
			why += fmt.Sprintf("\n%v is of %v, mapped by %v at %d, origin %v", e.Range, m.Range, m.Kind, m.Born, m.Origin)
		}
	}
	return why
}

// checkOracle compares the live map of every process that is still there with
// the kernel's. It must come to rest before and be settled.
func checkOracle(t testing.TB, s *Session) {
	t.Helper()
	checked := 0
	for pid, p := range s.trace.Tracker().Processes() {
		sp := s.trace.Tracker().Spaces()[p.Space]
		if p.Ended || sp.Ended {
			continue
		}
		checked++
		if d := compare(t, s, pid); d != "" {
			t.Errorf("process %d (%s): %s\nsettled %+v, of events from %d on %+v", pid, p.Comm, d, sp.Settled, s.begin, s.trace.Order())
		}
		if c := sp.Settled; c.Extra+c.Unexplained > 0 || !c.Done {
			t.Errorf("process %d (%s): not settled: %+v", pid, p.Comm, c)
		}
	}
	if checked == 0 {
		t.Error("no process is left to compare")
	}
}

// checkExact checks that events alone led to the kernel's map: no record was
// lost, no page count differed and no reading of a map corrected anything.
func checkExact(t testing.TB, s *Session) {
	t.Helper()
	st, k := s.trace.Tracker().Stats(), s.facts.Kernel
	type faults struct{ Lost, Missed, MapFull, Missing, Late, Mismatches, Corrected uint64 }
	got := faults{k.Lost, k.Missed, k.MapFull, st.Missing, st.Late, st.Mismatches, st.Corrected}
	if got != (faults{}) {
		t.Errorf("not exact: %+v\ntracker %+v\norder %+v", got, st, s.trace.Order())
	}
	t.Logf("%d events, %d lost, %d page counts compared", k.Events, k.Lost+k.Missed, st.Checks)
}

// checkCounted checks that page counts were compared at all.
func checkCounted(t testing.TB, s *Session) {
	t.Helper()
	if s.trace.Tracker().Stats().Checks == 0 && !byCalls(s) {
		t.Error("no page count was compared")
	}
}

// checkReplays checks that at least so many stacks were told by walks of before,
// and all rightly.
func checkReplays(t testing.TB, s *Session, least uint64) {
	t.Helper()
	c, err := s.probe.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if c.Replays < least || c.ReplaysWrong > 0 {
		t.Errorf("%d stacks told by walks of before, %d of them wrong", c.Replays, c.ReplaysWrong)
	}
	t.Logf("%d events, %d stacks told by walks of before", c.Events, c.Replays)
}

// finalReport ends the trace and returns its report.
func finalReport(s *Session) *report.Report {
	r, _, _ := s.Report()
	return r
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(testutil.Patience)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s: nothing in %v", what, testutil.Patience)
		}
		time.Sleep(time.Millisecond)
	}
}

// minorFaults returns how many page faults a process has had; 0 if it is gone.
func minorFaults(pid int) int {
	b, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return number(fields[7])
}

// Bounds on what may need a reading of the map under chaos. Where threads race
// with fixed mappings over ranges of unknown length (a segment attached over
// others, a fixed mapping that fails half-way), the events of a few changes in a
// million do not tell what happened; the page count of the next change shows it,
// and a reading repairs it.
const (
	eventsPerMismatch = 1_000_000
	mostCorrected     = 256 << 10 // bytes
)

// checkRepaired checks that nothing was lost and that readings had to repair no
// more than little. That the final map is right is for checkOracle to say.
func checkRepaired(t testing.TB, s *Session) {
	t.Helper()
	st, k := s.trace.Tracker().Stats(), s.facts.Kernel
	if k.Lost+k.Missed+k.MapFull > 0 || st.Missing != st.Late {
		t.Errorf("lost: %+v, %d of %d given up never came", k, st.Missing-st.Late, st.Missing)
	}
	if st.Mismatches > 1+k.Events/eventsPerMismatch || st.Corrected > mostCorrected {
		t.Errorf("%d mismatches and %d bytes corrected in %d events", st.Mismatches, st.Corrected, k.Events)
	}
	t.Logf("%d events, %d lost, %d page counts compared, %d differed, %d bytes corrected",
		k.Events, k.Lost+k.Missed, st.Checks, st.Mismatches, st.Corrected)
}
