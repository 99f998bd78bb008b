package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

func sleeper(t *testing.T) *testutil.Proc {
	return testutil.Start(t, testutil.Compile(t, "cases.c", "-O1"), "s02_munmap_tail")
}

// tells requires a text report to begin with what matches subject and to tell
// story, wherever its lines are broken.
func tells(t *testing.T, text, subject, story string) {
	t.Helper()
	text = joined(text)
	if !regexp.MustCompile("^" + subject).MatchString(text) {
		t.Errorf("the report begins with %.100q, want %q", text, subject)
	}
	if !regexp.MustCompile(story).MatchString(text) {
		t.Errorf("the report does not tell %q:\n%s", story, text)
	}
}

// joined returns text as one line.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestFirstSignalEndsTheWindow(t *testing.T) {
	needTracing(t)
	p := sleeper(t)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		r := newRun(t, "-p", fmt.Sprint(p.PID()))
		r.start()
		r.attached()
		r.cmd.Process.Signal(sig)
		got := r.wait()
		if got.code != exitOK {
			t.Errorf("%v: exit code %d\n%s", sig, got.code, got.err)
		}
		tells(t, got.out, `cases \(pid \d+\)`, `stopped early after [0-9.]+ m?s of 30.0 s`)
	}
}

func TestInterimReport(t *testing.T) {
	needTracing(t)
	p := sleeper(t)
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "0")
	r.start()
	r.attached()
	for i := 1; i <= 3; i++ {
		r.cmd.Process.Signal(syscall.SIGUSR1)
		waitUntil(t, "a report", func() bool { return strings.Count(joined(r.out.String()), "interim report after ") == i })
	}
	r.cmd.Process.Signal(os.Interrupt)
	got := r.wait()
	if got.code != exitOK || strings.Count(joined(got.out), "stopped after ") != 1 {
		t.Errorf("exit code %d\n%s", got.code, got.out)
	}
}

func TestEndOfTheTargetEndsTheWindow(t *testing.T) {
	needTracing(t)
	for _, tt := range []struct {
		end     func(*testutil.Proc)
		pattern string
	}{
		{func(p *testutil.Proc) { p.Send("go"); p.Send("exit") }, `exited`},
		{func(p *testutil.Proc) { syscall.Kill(p.PID(), syscall.SIGKILL) }, `was killed by SIGKILL`},
	} {
		p := sleeper(t)
		r := newRun(t, "-p", fmt.Sprint(p.PID()))
		r.start()
		r.attached()
		tt.end(p)
		got := r.wait()
		if got.code != exitOK {
			t.Errorf("exit code %d\n%s", got.code, got.err)
		}
		tells(t, got.out, `cases \(pid \d+\)`, tt.pattern+` after [0-9.]+ m?s`)
	}
}

// A demo that is cut short reports what there is, and judges nothing.
func TestInterruptedDemo(t *testing.T) {
	needTracing(t)
	r := newRun(t, "demo")
	r.start()
	r.attached()
	r.cmd.Process.Signal(os.Interrupt)
	got := r.wait()
	if got.code != exitOK || strings.Contains(got.out, "planted") {
		t.Errorf("exit code %d\n%s\n%s", got.code, got.out, got.err)
	}
	tells(t, got.out, `mmtrace-demo \(pid \d+\)`, `stopped early after [0-9.]+ m?s of 5.0 s`)
}

// A reader that has seen enough is no error.
func TestClosedOutput(t *testing.T) {
	needTracing(t)
	for _, args := range [][]string{{"-p", fmt.Sprint(os.Getppid()), "-d", "0.1"}, {"--help"}, {"doctor"}} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r := newRun(t, append([]string{"-q"}, args...)...)
		if args[0] != "-p" {
			r.cmd.Args = append(r.cmd.Args[:1], args...)
		}
		r.cmd.Stdout = write
		read.Close()
		r.start()
		write.Close()
		if got := r.wait(); got.code != exitOK || got.err != "" {
			t.Errorf("%q: exit code %d\n%s", args, got.code, got.err)
		}
	}
}
