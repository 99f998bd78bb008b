package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// Two traces of one target do not disturb each other: both are exact, and they
// report the same.
func TestFaultTwoTracers(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "two mmtraces on one target")
	for _, tt := range [][]string{{"cases.c", "all"}, {"storm.c", "10"}, {"pairs.c", "0.3", "10", "4"}, {"many.c", "3000"}} {
		p := testutil.Start(t, testutil.Compile(t, tt[0], "-O2"), tt[1:]...)
		a, b := beginSession(t, p.PID(), "-f"), beginSession(t, p.PID(), "-f")
		p.Run()
		size := mappedBytes(t, p.PID())
		ra, rb := endSession(t, a), endSession(t, b)
		p.Close()
		right := ra.facts() == rb.facts() && len(ra.Paths) > 0 && len(ra.Targets) > 0 && len(rb.Targets) > 0
		for _, r := range []*faultReport{&ra, &rb} {
			right = right && r.Quality.Lost == 0 && r.Quality.Verified && r.Targets[0].Bytes == size
		}
		if !right {
			t.Errorf("%s: one says\n%+v\nthe other\n%+v", tt[0], ra, rb)
		}
		row.Add(ra.Quality.Lost+rb.Quality.Lost, right)
	}
}

// facts returns what must be the same in every report on the same events.
func (r *faultReport) facts() string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Totals)
	for _, p := range r.Paths {
		fmt.Fprintln(&b, p.Bytes, p.Count, p.Frames)
	}
	return b.String()
}

// A counter is another tool that counts calls of mmap and munmap of a process.
type counter struct {
	name  string
	argv  func(pid int) []string
	ready string // what it says when it counts; empty: it must be asked for otherwise
	count *regexp.Regexp
}

var counters = []counter{
	{
		name: "perf",
		argv: func(pid int) []string {
			return []string{"perf", "stat", "-x", ",", "-e", "syscalls:sys_enter_mmap,syscalls:sys_enter_munmap", "-p", fmt.Sprint(pid)}
		},
		count: regexp.MustCompile(`(?m)^(\d+),,syscalls:sys_enter_m`),
	},
	{
		name: "bpftrace",
		argv: func(pid int) []string {
			return []string{"bpftrace", "-e", fmt.Sprintf("tracepoint:syscalls:sys_enter_mmap,tracepoint:syscalls:sys_enter_munmap "+
				"/pid == %d/ { @ = count(); }  BEGIN { printf(\"counting\\n\"); }", pid)}
		},
		ready: "counting",
		count: regexp.MustCompile(`(?m)^@: (\d+)$`),
	},
}

// Other tools that look at the same calls count the same with mmtrace beside them
// and without.
func TestFaultOtherToolsCountTheSame(t *testing.T) {
	needTracing(t)
	exe := testutil.Compile(t, "pairs.c", "-O2")
	for _, c := range counters {
		row := testutil.NewFault(t, c.name+" beside it counts the same calls as without")
		if _, err := exec.LookPath(c.name); err != nil {
			testutil.Need(t, c.name)
		}
		extra := make(map[bool]int64) // calls beside the pairs, by whether mmtrace was there
		for _, beside := range []bool{false, true} {
			p := testutil.Start(t, exe, "0.5", "10", "1")
			var r *running
			if beside {
				r = beginSession(t, p.PID())
			}
			counted := c.start(t, p.PID())
			pairs := pairsOf(p.Run())
			n := counted()
			var lost uint64
			right := true
			if beside {
				rep := endSession(t, r)
				lost = rep.Quality.Lost
				right = lost == 0 && int64(rep.Totals.Calls["mmap"]+rep.Totals.Calls["munmap"]) == n
			}
			p.Close()
			extra[beside] = n - 2*pairs
			right = right && pairs > 0 && n >= 2*pairs && (!beside || extra[true] == extra[false])
			if !right {
				t.Errorf("%s beside=%v: %d calls counted, %d pairs, %v calls beside those", c.name, beside, n, pairs, extra)
			}
			row.Add(lost, right)
		}
	}
}

// pairsOf returns how many pairs pairs.c says that it has made.
func pairsOf(lines []string) (pairs int64) {
	for _, line := range lines {
		if n, ok := strings.CutPrefix(line, "pairs "); ok {
			pairs, _ = strconv.ParseInt(n, 10, 64) // 0 is wrong everywhere
		}
	}
	return pairs
}

// start lets c count the calls of a process, and returns what ends it and returns
// the number.
func (c *counter) start(t *testing.T, pid int) func() int64 {
	t.Helper()
	argv := c.argv(pid)
	cmd := exec.Command(argv[0], argv[1:]...)
	var said sharedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // an error means that it has ended
	if c.ready != "" {
		waitUntil(t, c.name+" to count", func() bool { return strings.Contains(said.String(), c.ready) })
	} else {
		waitUntil(t, c.name+" to count", func() bool { return waitsForEvents(cmd.Process.Pid) })
	}
	return func() (n int64) {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		cmd.Wait() // its status says nothing
		for _, m := range c.count.FindAllStringSubmatch(said.String(), -1) {
			k, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				t.Error(err)
			}
			n += k
		}
		if n == 0 {
			t.Errorf("%s counts nothing:\n%s", c.name, said.String())
		}
		return n
	}
}

// waitsForEvents reports whether a process holds events of perf and sleeps.
func waitsForEvents(pid int) bool {
	f := statFields(pid)
	if f == nil || f[0] != "S" {
		return false
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return false
	}
	events := 0
	for _, fd := range fds {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if err == nil && bytes.Contains([]byte(link), []byte("[perf_event]")) {
			events++
		}
	}
	return events >= 2
}
