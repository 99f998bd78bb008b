package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// faultRuns returns how often a fault is tried: the number in MMTRACE_FAULT_RUNS
// or few.
func faultRuns(few int) int {
	if n, err := strconv.Atoi(os.Getenv("MMTRACE_FAULT_RUNS")); err == nil {
		return n
	}
	return few
}

// A faultReport is what these tests read of a report.
type faultReport struct {
	Targets []struct {
		PID         int
		Use         uint64 `json:"pid_use"`
		Comm, Ended string
		Bytes       uint64
	}
	Window struct {
		StoppedBy string `json:"stopped_by"`
		Duration  uint64 `json:"duration_ns"`
	}
	Totals struct {
		Calls       map[string]uint64 `json:"calls_by_kind"`
		Outstanding uint64            `json:"outstanding_bytes"`
	}
	Quality struct {
		Events, Lost uint64
		Verified     bool
		Live         uint64 `json:"live_bytes"`
		Extra        uint64 `json:"extra_bytes"`
		Unexplained  uint64 `json:"unexplained_bytes"`
		Mismatches   uint64
	}
	Paths []struct {
		Bytes, Count, Uncertain uint64
		Oldest                  uint64 `json:"oldest_age_ns"`
		Frames                  []struct{ Function string }
	}
}

// readFaults reads a JSON report; ok is false if it is none.
func readFaults(text string) (r faultReport, ok bool) {
	return r, json.Unmarshal([]byte(text), &r) == nil
}

// byFunction returns the outstanding bytes of the paths that hold a function.
func (r *faultReport) byFunction(name string) (sum uint64) {
	for _, p := range r.Paths {
		for _, f := range p.Frames {
			if f.Function == name {
				sum += p.Bytes
				break
			}
		}
	}
	return sum
}

// mappedBytes returns the size of a process's map as the kernel tells it.
func mappedBytes(t *testing.T, pid int) (sum uint64) {
	t.Helper()
	p, err := procfs.Open(event.PID(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions {
		sum += r.Range.Len()
	}
	return sum
}

// beginSession starts a trace without an end of a process, whose report is JSON.
func beginSession(t *testing.T, pid int, args ...string) *running {
	t.Helper()
	r := newRun(t, append([]string{"-d", "0", "-F", "json", "-z", "1", "-p", fmt.Sprint(pid)}, args...)...)
	r.start()
	r.attached()
	return r
}

// endSession interrupts a trace and returns its report.
func endSession(t *testing.T, r *running) faultReport {
	t.Helper()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	got := r.wait()
	rep, ok := readFaults(got.out)
	if got.code != exitOK || !ok {
		t.Fatalf("exit code %d\n%s\n%.500s", got.code, got.err, got.out)
	}
	return rep
}

// statFields returns the fields of /proc/PID/stat from the third on, nil if the
// process is gone.
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

// A tracer that is stopped for two seconds while the target works loses records,
// counts every one of them, and holds the right map in the end.
func TestFaultTracerStopped(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "tracer stopped for 2 s under load (SIGSTOP)")
	p := testutil.Start(t, testutil.Compile(t, "pairs.c", "-O2"), "5", "10", "2")
	r := beginSession(t, p.PID(), "--buffer", "64K")
	p.Send("go")
	pid := r.cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // the fault itself
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var pairs uint64
	for _, line := range p.WaitFor("done") {
		if n, ok := strings.CutPrefix(line, "pairs "); ok {
			pairs, _ = strconv.ParseUint(n, 10, 64) // 0 is noticed below
		}
	}
	size := mappedBytes(t, p.PID())
	rep := endSession(t, r)
	p.Close()
	q, c := rep.Quality, rep.Totals.Calls
	unseen := 2*pairs - c["mmap"] - c["munmap"] // threads make a few calls more
	right := pairs > 0 && len(rep.Targets) == 1 && rep.Targets[0].Bytes == size && rep.byFunction("pairs_leaf") == 0 &&
		q.Verified && q.Extra+q.Unexplained == 0 && q.Lost > 0 && int64(unseen) <= int64(q.Lost)
	if !right {
		t.Errorf("%d pairs, %d calls unseen, %d bytes in the kernel's map: %+v", pairs, int64(unseen), size, rep)
	}
	row.Note("%d of %d calls unseen", max(0, int64(unseen)), 2*pairs)
	row.Add(q.Lost, right)
}

// A target that is killed while it works ends the window, with a report in which
// nothing is lost.
func TestFaultTargetKilled(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "target killed under load (SIGKILL)")
	exe := testutil.Compile(t, "chaos.c", "-O2")
	for i := range faultRuns(4) {
		p := testutil.Start(t, exe, "30", "4", "0", fmt.Sprint(i+1))
		r := beginSession(t, p.PID())
		p.Send("go")
		atWork(t, p.PID(), 500<<(i%4))
		if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		got := r.wait()
		rep, ok := readFaults(got.out)
		right := ok && got.code == exitOK && rep.Window.StoppedBy == "exit" && len(rep.Targets) == 1 &&
			rep.Targets[0].Ended == "killed by SIGKILL" && rep.Quality.Lost == 0 && rep.Quality.Extra+rep.Quality.Unexplained == 0
		if !right {
			t.Errorf("exit code %d\n%s\n%+v", got.code, got.err, rep)
		}
		row.Add(rep.Quality.Lost, right)
	}
}

// atWork waits until a process has had a number of page faults.
func atWork(t *testing.T, pid, faults int) {
	t.Helper()
	waitUntil(t, "the target to be at work", func() bool {
		f := statFields(pid)
		if f == nil {
			return false
		}
		n, err := strconv.Atoi(f[7])
		return err == nil && n > faults
	})
}

// A target that goes at any moment of a trace, from before it is attached to until
// the report is written, leaves a report or is said to be gone.
func TestFaultTargetVanishes(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "target gone at a random moment of attach, window or report")
	exe := testutil.Compile(t, "chaos.c", "-O2")
	one := func(seed int, after time.Duration) (took time.Duration) {
		p := testutil.Start(t, exe, "30", "2", "0", fmt.Sprint(seed))
		p.Send("go")
		r := newRun(t, "-d", "0.2", "-F", "json", "-p", fmt.Sprint(p.PID()))
		r.start()
		timer := time.AfterFunc(after, func() { _ = syscall.Kill(p.PID(), syscall.SIGKILL) })
		got := r.wait()
		timer.Stop()
		rep, ok := readFaults(got.out)
		right := got.code == exitNoTarget && got.out == "" && got.err != "" ||
			got.code == exitOK && ok && rep.Quality.Lost == 0 && rep.Quality.Extra+rep.Quality.Unexplained == 0
		if !right {
			t.Errorf("gone after %v: exit code %d\n%s\n%+v", after, got.code, got.err, rep)
		}
		row.Add(rep.Quality.Lost, right)
		return got.took
	}
	whole := one(0, time.Hour) // undisturbed
	rnd := rand.New(rand.NewPCG(1, 2))
	moments := make(chan time.Duration)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for after := range moments {
				one(int(after), after)
			}
		})
	}
	for range faultRuns(50) - 1 {
		moments <- time.Duration(rnd.Int64N(int64(whole)))
	}
	close(moments)
	wg.Wait()
}
