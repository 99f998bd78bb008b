package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
)

// begin starts argv, stopped, with its standard output in the file returned.
func begin(t *testing.T, argv ...string) (*command, func() string) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	o := newOptions()
	o.command = argv
	path, err := o.lookCommand()
	if err != nil {
		t.Fatal(err)
	}
	c, err := startCommand(path, o, streams{out: stream{Writer: out}, err: stream{Writer: os.Stderr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.abandon)
	return c, func() string {
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestCommandWaitsForRelease(t *testing.T) {
	c, out := begin(t, "sh", "-c", "echo $$; exit 7")
	time.Sleep(20 * time.Millisecond)
	if got := out(); got != "" {
		t.Fatalf("it ran before its release: %q", got)
	}
	j := &job{command: c, options: newOptions()}
	if err := j.attached(); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
	if got, want := strings.TrimSpace(out()), fmt.Sprint(c.proc.PID()); got != want {
		t.Errorf("it ran as process %s, opened was %s", got, want)
	}
}

func TestCommandKilled(t *testing.T) {
	c, _ := begin(t, "sh", "-c", "kill -TERM $$")
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(); code != 128+15 {
		t.Errorf("exit code %d, want 143", code)
	}
}

func TestCommandGetsSignals(t *testing.T) {
	c, _ := begin(t, "sleep", "60")
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	c.pass(syscall.SIGTERM, func() {})
	if code := c.wait(); code != 128+15 {
		t.Errorf("exit code %d, want 143", code)
	}
}

func TestCommandAbandonedNeverRuns(t *testing.T) {
	c, out := begin(t, "echo", "x")
	c.goes.Close()
	if err := c.proc.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := out(); got != "" {
		t.Errorf("it ran: %q", got)
	}
	if err := c.release(); err == nil {
		t.Error("released after its end")
	}
}

func TestCommandThatCannotRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/no/such/shell\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, _ := begin(t, path)
	err := c.release()
	var start *startError
	if !errors.As(err, &start) || exitCode(err) != exitNotFound {
		t.Fatalf("error %v, exit code %d", err, exitCode(err))
	}
	if want := "running " + path + ": its interpreter: no such file or directory"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestCommandIsTheFirstThread(t *testing.T) {
	c, _ := begin(t, "sleep", "60")
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	defer c.pass(syscall.SIGTERM, func() {})
	if !c.proc.Alive() || c.proc.Comm() != "sleep" {
		t.Errorf("process %q, alive %v", c.proc.Comm(), c.proc.Alive())
	}
	s, err := c.proc.Status()
	if err != nil || s.Threads != 1 {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestCommandRunsAsTheSudoUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	t.Setenv("SUDO_UID", "65534")
	t.Setenv("SUDO_GID", "65534")
	t.Setenv("SUDO_USER", "nobody")
	const script = `echo $(id -u):$(id -g):$(id -G) "$USER" "$LOGNAME" "${SUDO_UID-gone}"`
	c, out := begin(t, "sh", "-c", script)
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	c.wait()
	if got, want := out(), "65534:65534:65534 nobody nobody gone\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	o := newOptions()
	o.asRoot = true
	if who, err := o.commandUser(0, os.Getenv); err != nil || who.ids() != "" {
		t.Errorf("--as-root: %+v, %v", who, err)
	}
}

func TestEnviron(t *testing.T) {
	env := []string{"PATH=/bin", "HOME=/root", "USER=root", "LOGNAME=root", "SUDO_UID=7", "HOMER=x"}
	if got := (runAs{}).environ(env); !slices.Equal(got, env) {
		t.Errorf("the caller's: %q", got)
	}
	got := runAs{uid: "7", name: "ann", home: "/home/ann"}.environ(env)
	want := []string{"PATH=/bin", "HOMER=x", "HOME=/home/ann", "USER=ann", "LOGNAME=ann"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDemoTarget(t *testing.T) {
	d, err := startDemoTarget(streams{err: stream{Writer: os.Stderr}}, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := procfs.Open(d.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	d.stop()
	if p.Alive() {
		t.Error("the target outlives the demo")
	}
	if d.begin() == nil {
		t.Error("begun after its end")
	}
}

func TestExitStatus(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "kill -9 $$": 137} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Run()
		if got := exitStatus(cmd.ProcessState.Sys().(syscall.WaitStatus)); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
	}
}
