package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/sys/capability"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// staticTool builds mmtrace as it is released, without cgo.
func staticTool(t *testing.T) string {
	t.Helper()
	if os.Getenv("MMTRACE_FIXTURES") != "" {
		return testutil.GoBuild(t, "github.com/mmtrace/mmtrace/cmd/mmtrace")
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		testutil.Need(t, "the go command")
	}
	exe := filepath.Join(t.TempDir(), "mmtrace")
	cmd := exec.Command(goCmd, "build", "-o", exe, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// Once it traces, no thread has a capability that tracing does not take, and
// CAP_SYS_ADMIN is in force only for moments. What comes after still works:
// residence, the cost, names from private files, files of the user.
func TestDropsRights(t *testing.T) {
	needTracing(t)
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	private := publicCopy(t, testutil.Compile(t, "cases.c", "-O1"), "leaks", 0o700)
	cmd := exec.Command(private, "s02_munmap_tail")
	p := testutil.StartCmd(t, cmd)
	defer p.Close()
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "0", "-F", "json")
	r.cmd.Path = staticTool(t)
	r.start()
	r.attached()
	p.Run()
	within := keptMask()
	admin := uint64(1) << capability.CAP_SYS_ADMIN
	looks, inForce := 0, 0
	for looks = range 50 {
		for _, sets := range threadCaps(t, r.cmd.Process.Pid) {
			if sets.permitted&^(within|admin) != 0 || sets.effective&^(within|admin) != 0 {
				t.Fatalf("thread with %#x in force of %#x; only %#x is needed", sets.effective, sets.permitted, within)
			}
			if sets.effective&admin != 0 {
				inForce++
			}
		}
	}
	if inForce > looks/2 {
		t.Errorf("CAP_SYS_ADMIN was in force in %d of %d looks", inForce, looks)
	}
	r.cmd.Process.Signal(os.Interrupt)
	if got := describeRights(t, r.wait(), false); got != "traced" {
		t.Errorf("%s\n%s", got, r.err.String())
	}
}

func keptMask() (m uint64) {
	for _, c := range keptCaps {
		m |= 1 << c
	}
	return m
}

type setsOfThread struct{ effective, permitted uint64 }

// threadCaps returns the capabilities of all threads of a process.
func threadCaps(t *testing.T, pid int) (out []setsOfThread) {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(names) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		var s setsOfThread
		for line := range bytes.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":\t")
			switch key {
			case "CapEff":
				fmt.Sscanf(value, "%x", &s.effective)
			case "CapPrm":
				fmt.Sscanf(value, "%x", &s.permitted)
			}
		}
		out = append(out, s)
	}
	return out
}

// Without CAP_SYS_PTRACE it is CAP_PERFMON that opens maps, and stays.
func TestKeep(t *testing.T) {
	all := capSets{{Effective: ^uint32(0), Permitted: ^uint32(0), Inheritable: 1}, {Effective: ^uint32(0), Permitted: ^uint32(0)}}
	mask := keptMask()
	admin := uint32(1) << capability.CAP_SYS_ADMIN
	want := capSets{{Effective: uint32(mask), Permitted: uint32(mask) | admin}, {Effective: uint32(mask >> 32), Permitted: uint32(mask >> 32)}}
	if got := all.keep(); got != want {
		t.Errorf("of all: %+v, want %+v", got, want)
	}
	const perfmon, bpf = uint32(1) << (capability.CAP_PERFMON - 32), uint32(1) << (capability.CAP_BPF - 32)
	two := capSets{1: {Effective: perfmon | bpf, Permitted: perfmon | bpf}}
	if got := two.keep(); got != two {
		t.Errorf("of two: %+v, want %+v", got, two)
	}
}
