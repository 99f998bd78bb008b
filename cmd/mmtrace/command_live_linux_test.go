package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// A jsonReport is what these tests read of a report.
type jsonReport struct {
	Targets []struct {
		PID         int
		Parent      int `json:"parent_pid"`
		Comm, Ended string
	}
	Totals struct {
		Calls            map[string]uint64 `json:"calls_by_kind"`
		MappedBytes      uint64            `json:"mapped_bytes"`
		OutstandingBytes uint64            `json:"outstanding_bytes"`
	}
	Paths []struct {
		Bytes, Count uint64
	}
	Caveats []string
}

func parseReport(t *testing.T, text string) (r jsonReport) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %.200q", err, text)
	}
	return r
}

// Nothing is missed of a program that lives for some microseconds, run after
// run.
func TestShortCommandIsSeenWhole(t *testing.T) {
	needTracing(t)
	short := testutil.Compile(t, "testdata/c/short.c", "-O1", "-static", "-nostdlib", "-fno-stack-protector")
	for i := range 10 {
		args := []string{"-q", "-F", "json", "-o", "report", "--", short}
		if i%2 == 1 { // an exec after the first one
			args = []string{"-q", "-F", "json", "-o", "report", "--", "sh", "-c", "exec " + short}
		}
		r := newRun(t, args...)
		r.start()
		if got := r.wait(); got.code != 3 {
			t.Fatalf("exit code %d\n%s", got.code, got.err)
		}
		text, err := os.ReadFile(filepath.Join(r.cmd.Dir, "report"))
		if err != nil {
			t.Fatal(err)
		}
		rep := parseReport(t, string(text))
		if len(rep.Paths) != 1 || rep.Paths[0].Bytes != 7*2*4096 || rep.Paths[0].Count != 7 ||
			rep.Totals.OutstandingBytes != 7*2*4096 {
			t.Fatalf("run %d: %+v", i, rep)
		}
		if c := rep.Totals.Calls; i%2 == 0 && (c["mmap"] != 7 || c["munmap"] != 7 || len(c) != 2) {
			t.Errorf("run %d: calls %v, want 7 mmap and 7 munmap", i, c)
		}
	}
}

func TestCommandStatus(t *testing.T) {
	needTracing(t)
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		argv []string
		code int
		err  string // with which the messages begin; "" for those of a trace
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"sh", "-c", "exit 42"}, 42, ""},
		{[]string{"sh", "-c", "kill -SEGV $$"}, 128 + 11, ""},
		{[]string{file("none", "", 0o644)}, 126, "mmtrace: running " + dir + "/none: permission denied\n"},
		{[]string{file("text", "garbage", 0o755)}, 126, "mmtrace: running " + dir + "/text: exec format error\n  try:   mmtrace -- sh "},
		{[]string{file("script", "#!/no/shell\n", 0o755)}, 127, "mmtrace: running " + dir + "/script: its interpreter: no such file or directory\n"},
		{[]string{dir + "/missing"}, 127, "mmtrace: running " + dir + "/missing: no such file or directory\n"},
	} {
		r := mmtrace(t, append([]string{"--"}, tt.argv...)...)
		if r.code != tt.code || r.out != "" {
			t.Errorf("%q: exit code %d, want %d; output %q\n%s", tt.argv, r.code, tt.code, r.out, r.err)
		}
		want := tt.err
		if want == "" {
			want = "tracing " + tt.argv[0] + " ("
		}
		if !strings.HasPrefix(r.err, want) {
			t.Errorf("%q: messages %q, want %q", tt.argv, r.err, want)
		}
	}
}

func TestCommandHasTheStandardStreams(t *testing.T) {
	needTracing(t)
	r := newRun(t, "-f", "--", "sh", "-c", "echo oops >&2; sort -n | tail -1")
	r.cmd.Stdin = strings.NewReader("7\n100\n20\n")
	r.start()
	got := r.wait()
	if got.code != 0 || got.out != "100\n" {
		t.Errorf("exit code %d, output %q", got.code, got.out)
	}
	for _, want := range []string{"oops ", "with 2 children", "exited after "} {
		if !strings.Contains(joined(got.err), want) {
			t.Errorf("%q is not in\n%s", want, got.err)
		}
	}
}

func TestCommandOfTheSudoUser(t *testing.T) {
	needTracing(t)
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	for flag, want := range map[string]string{"--follow": "65534:65534\n", "--as-root": "0:0\n"} {
		r := newRun(t, "-q", flag, "--", "sh", "-c", "echo $(id -u):$(id -g)")
		r.cmd.Env = append(r.cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534", "SUDO_USER=nobody")
		r.start()
		if got := r.wait(); got.code != 0 || got.out != want {
			t.Errorf("%s: exit code %d, output %q, want %q\n%s", flag, got.code, got.out, want, got.err)
		}
	}
}

// commandPID returns the pid that a run says its command has.
func commandPID(t *testing.T, r *running) int {
	t.Helper()
	r.attached()
	var pid int
	waitUntil(t, "the pid of the command", func() bool {
		_, rest, _ := strings.Cut(r.err.String(), " (")
		n, _ := fmt.Sscanf(rest, "%d)", &pid)
		return n == 1
	})
	return pid
}

// state returns the letter of a process's state, 0 if it is gone.
func state(pid int) byte {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[0]
}

func TestSignalsGoToTheCommand(t *testing.T) {
	needTracing(t)
	r := newRun(t, "--", "sh", "-c", "trap 'exit 9' INT; echo ready; while :; do sleep 0.02; done")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // from a terminal it would get them itself
	r.start()
	waitUntil(t, "the command", func() bool { return r.out.String() == "ready\n" })
	r.cmd.Process.Signal(os.Interrupt)
	got := r.wait()
	if got.code != 9 || !strings.Contains(joined(got.err), "exited with status 9 after ") {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
}

// A command that ignores signals outlives its tracer, which the second one ends.
func TestCommandThatIgnoresSignals(t *testing.T) {
	needTracing(t)
	r := newRun(t, "--", "sh", "-c", "trap '' INT TERM; echo ready; exec sleep 60 >/dev/null 2>&1")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r.start()
	pid := commandPID(t, r)
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	waitUntil(t, "the command", func() bool { return r.out.String() == "ready\n" })
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.says("; once more ends the trace without a report")
	if s := state(pid); s == 0 || s == 'Z' {
		t.Fatal("the command has ended")
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	if got := r.wait(); got.code != exitInterrupted {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	if s := state(pid); s == 0 || s == 'Z' || s == 'T' {
		t.Errorf("the command is left in state %q", s)
	}
}

// A tracer that is killed between the command's exec, which stops it, and the
// reading of its map leaves it running.
func TestCommandIsNotLeftStopped(t *testing.T) {
	needTracing(t)
	r := newRun(t, "--", "sleep", "60")
	r.start()
	pid := commandPID(t, r)
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	syscall.Kill(pid, syscall.SIGSTOP)
	waitUntil(t, "the stop", func() bool { return state(pid) == 'T' })
	r.cmd.Process.Kill()
	waitUntil(t, "the command to go on", func() bool { return state(pid) == 'S' })
	syscall.Kill(pid, syscall.SIGKILL) // it has the outputs that wait reads
	r.wait()
}

// Whenever a tracer is killed, the command runs or has never begun.
func TestCommandOfAKilledTracer(t *testing.T) {
	needTracing(t)
	for i := range 12 {
		r := newRun(t, "--", "sleep", "60")
		r.cmd.Stderr = nil
		r.start()
		time.Sleep(time.Duration(60+12*i) * time.Millisecond)
		children := childrenOf(r.cmd.Process.Pid)
		r.cmd.Process.Kill()
		r.wait()
		for _, pid := range children {
			waitUntil(t, "the command to go on or end", func() bool { return state(pid) != 'T' })
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func childrenOf(pid int) (pids []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for _, word := range strings.Fields(string(text)) {
			var n int
			fmt.Sscan(word, &n)
			pids = append(pids, n)
		}
	}
	return pids
}
