package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// needTracing skips a test where tracing is not permitted; in CI it fails. Live
// tests mostly wait, and so run beside each other.
func needTracing(t *testing.T) {
	t.Helper()
	t.Parallel()
	if err := checkPrivileges(); err != nil {
		testutil.Need(t, "the rights to trace: "+err.Error())
	}
}

// A result is how a run of mmtrace ended.
type result struct {
	code     int
	out, err string
	took     time.Duration
}

// A running is a run of mmtrace.
type running struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err sharedBuffer
	began    time.Time
}

// A sharedBuffer is written by the goroutine that copies an output and read by
// the test.
type sharedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newRun prepares a run of this program; the caller may change its cmd.
func newRun(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t}
	r.cmd = &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"mmtrace"}, args...),
		Stdout: &r.out, Stderr: &r.err, Env: cleanEnv(), Dir: t.TempDir(),
		WaitDelay: 10 * time.Second}
	return r
}

// cleanEnv returns the environment without what sudo would set.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SUDO_") && !strings.HasPrefix(kv, "COLUMNS=") {
			env = append(env, kv)
		}
	}
	return env
}

func (r *running) start() {
	r.t.Helper()
	r.began = time.Now()
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.cmd.Process.Kill() }) // an error means that it has ended
}

// wait returns how the run ended; a signal counts as 128+n.
func (r *running) wait() result {
	r.t.Helper()
	timer := time.AfterFunc(60*time.Second, func() { r.cmd.Process.Signal(syscall.SIGQUIT) })
	defer timer.Stop()
	r.cmd.Wait() // its error says no more than the state
	if r.cmd.ProcessState == nil {
		r.t.Fatal("it cannot be waited for")
	}
	return result{exitStatus(r.cmd.ProcessState.Sys().(syscall.WaitStatus)),
		r.out.String(), r.err.String(), time.Since(r.began)}
}

// attached waits until the run says that it traces.
func (r *running) attached() {
	r.t.Helper()
	r.says("tracing ")
}

// says waits until the run has written text to standard error.
func (r *running) says(text string) {
	r.t.Helper()
	waitUntil(r.t, fmt.Sprintf("%q of mmtrace", text), func() bool { return strings.Contains(r.err.String(), text) })
}

// waitUntil polls for a while.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waiting for %s: not in %v", what, patience)
		}
	}
}

// mmtrace runs this program to its end.
func mmtrace(t *testing.T, args ...string) result {
	t.Helper()
	r := newRun(t, args...)
	r.start()
	return r.wait()
}
