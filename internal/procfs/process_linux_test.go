package procfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// The test binary is its own target: it runs as one of these if told so.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCFS_TARGET") {
	case "":
		os.Exit(m.Run())
	case "leaderless":
		runLeaderless()
	case "open":
		pid, _ := strconv.Atoi(os.Args[1])
		_, err := Open(event.PID(pid))
		fmt.Print(errors.Is(err, fs.ErrPermission))
	}
}

// runLeaderless ends the process's first thread and lives on in another.
func runLeaderless() {
	runtime.LockOSThread()
	go func() {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

func init() {
	if os.Getenv("PROCFS_TARGET") == "leaderless" {
		runtime.LockOSThread() // main keeps the first thread
	}
}

// start runs cmd, which has its name when start returns, until the end of the test.
// Its standard input stays open.
func start(t *testing.T, cmd *exec.Cmd) event.PID {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	pid := event.PID(cmd.Process.Pid)
	name := filepath.Base(cmd.Path)
	name = name[:min(len(name), 15)]                              // TASK_COMM_LEN
	waitStat(t, pid, func(s Stat) bool { return s.Comm == name }) // which exec(2) sets after Start has returned
	return pid
}

func mustOpen(t *testing.T, pid event.PID) *Process {
	t.Helper()
	p, err := Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestOpenSelf(t *testing.T) {
	p := mustOpen(t, event.PID(os.Getpid()))
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(regions, func(a, b event.Region) int {
		if a.Start < b.Start && a.End <= b.Start {
			return -1
		}
		return 1
	}) {
		t.Error("regions overlap or are out of order")
	}
	exe, err := p.Exe()
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := os.Executable(); exe != want {
		t.Errorf("exe %q, want %q", exe, want)
	}
	if got := p.Cmdline(); !slices.Equal(got, os.Args) {
		t.Errorf("cmdline %q, want %q", got, os.Args)
	}
	if want := filepath.Base(exe); !strings.HasPrefix(want, p.Comm()) || p.Comm() == "" {
		t.Errorf("comm %q of %q", p.Comm(), want)
	}
	s, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	if s.Tgid != p.PID() || s.Threads < 1 || s.UID != uint32(os.Geteuid()) {
		t.Errorf("status %+v", s)
	}
	if pages, err := p.TotalPages(); err != nil || pages == 0 {
		t.Errorf("total pages %d, %v", pages, err)
	}
	if p.StartTicks() == 0 || !p.Alive() || p.Is32() != (strconv.IntSize == 32) {
		t.Errorf("start %d, alive %v, 32-bit %v", p.StartTicks(), p.Alive(), p.Is32())
	}
	mine, err1 := p.Namespace("pid")
	own, err2 := SelfNamespace("pid")
	if err1 != nil || err2 != nil || mine != own {
		t.Errorf("namespaces %d (%v) and %d (%v)", mine, err1, own, err2)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Run("no such process", func(t *testing.T) {
		for _, pid := range []event.PID{0, 1 << 22, 1<<32 - 1} {
			_, err := Open(pid)
			if !errors.Is(err, ErrNoProcess) || err.Error() != fmt.Sprintf("opening process %d: no such process", pid) {
				t.Errorf("Open(%d): %v", pid, err)
			}
		}
	})
	t.Run("thread", func(t *testing.T) {
		_, err := Open(event.PID(testutil.AnotherThread(t)))
		var et *ErrThread
		if !errors.As(err, &et) || et.TGID != event.PID(os.Getpid()) || et.Comm == "" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("zombie", func(t *testing.T) {
		pid := start(t, exec.Command("true"))
		waitState(t, pid, 'Z')
		if _, err := Open(pid); !errors.Is(err, ErrZombie) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("kernel thread", func(t *testing.T) {
		pid, ok := aKernelThread()
		if !ok {
			t.Skip("no kernel thread is visible in this pid namespace")
		}
		if _, err := Open(pid); !errors.Is(err, ErrKernelThread) {
			t.Errorf("Open(%d): %v", pid, err)
		}
	})
}

func TestOpenNotPermitted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	pid := start(t, exec.Command("cat"))
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	cmd := exec.Command("/proc/self/fd/3", strconv.Itoa(int(pid)))
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "PROCFS_TARGET=open")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != "true" {
		t.Errorf("is fs.ErrPermission: %s", out)
	}
}

func aKernelThread() (event.PID, bool) {
	for pid := event.PID(2); pid < 200; pid++ {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		if s, err := ParseStat(text); err == nil && s.Kernel() {
			return pid, true
		}
	}
	return 0, false
}

func waitState(t *testing.T, pid event.PID, state byte) {
	t.Helper()
	waitStat(t, pid, func(s Stat) bool { return s.State == state })
}

// waitStat waits until what /proc/PID/stat says of a process is what is wanted.
func waitStat(t *testing.T, pid event.PID, wanted func(Stat) bool) {
	t.Helper()
	var text []byte
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var err error
		if text, err = os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil {
			t.Fatal(err)
		}
		if s, err := ParseStat(text); err == nil && wanted(s) {
			return
		}
	}
	t.Fatalf("not what was waited for after 5 s: %s", text)
}
