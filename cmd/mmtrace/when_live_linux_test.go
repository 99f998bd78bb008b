package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// grower returns a process that grows when it is told to.
func grower(t *testing.T) *testutil.Proc {
	p := testutil.Start(t, testutil.Compile(t, "grow.c", "-O1"))
	p.Send("go")
	return p
}

// order has p do something and waits until it is done.
func order(p *testutil.Proc, what string) {
	p.Send(what)
	p.WaitFor("done")
}

// armed starts a run that waits for when, and requires that nothing is attached.
func armed(t *testing.T, when string, args ...string) *running {
	t.Helper()
	r := newRun(t, append(args, "--when", when)...)
	r.start()
	r.says("waiting until ")
	dir := fmt.Sprintf("/proc/%d/fd", r.cmd.Process.Pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && strings.Contains(to, "bpf") {
			t.Errorf("%s is open while it waits", to)
		}
	}
	return r
}

// A window begins when the condition holds: what was mapped before is not in it.
func TestWhenFires(t *testing.T) {
	needTracing(t)
	for when, grow := range map[string]string{
		"rss>64M": "map 96", "virt>1M": "map 1", "fds>200": "open 300", "mappings>1000": "split 2000",
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			p := grower(t)
			rec := filepath.Join(t.TempDir(), "x.mmtrace")
			r := armed(t, when, "record", "-o", rec, "-p", fmt.Sprint(p.PID()), "-d", "2")
			order(p, grow)
			r.attached()
			order(p, "map 8")
			if got := r.wait(); got.code != exitOK {
				t.Fatalf("exit code %d\n%s", got.code, got.err)
			}
			got := mmtrace(t, "report", rec, "-F", "json")
			var rep struct {
				Window struct {
					When     string
					Duration int64 `json:"duration_ns"`
				}
				Paths []struct{ Bytes uint64 }
			}
			if err := json.Unmarshal([]byte(got.out), &rep); err != nil {
				t.Fatalf("%v\n%s", err, got.err)
			}
			name, _, _ := strings.Cut(when, ">")
			want := fmt.Sprintf("%s: grow (%d): %s is ", when, p.PID(), name)
			if len(rep.Paths) != 1 || rep.Paths[0].Bytes != 8<<20 || !strings.HasPrefix(rep.Window.When, want) ||
				rep.Window.Duration < 2e9 {
				t.Errorf("%+v", rep)
			}
		})
	}
}

// What ends the wait is told, and nothing else is written.
func TestWhenDoesNotFire(t *testing.T) {
	needTracing(t)
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		p := grower(t)
		r := armed(t, "swap>1G", "-p", fmt.Sprint(p.PID()))
		r.cmd.Process.Signal(syscall.SIGUSR1)
		r.says("until swap>1G: ")
		r.cmd.Process.Signal(os.Interrupt)
		want := fmt.Sprintf(`waiting until swap>1G for grow (%d); Ctrl-C gives up
waiting until swap>1G: swap is 0 B
mmtrace: stopped before swap>1G held: swap was 0 B; nothing was traced
`, p.PID())
		if got := r.wait(); got.code != exitOK || got.out != "" || got.err != want {
			t.Errorf("exit code %d\n%s%s", got.code, got.out, got.err)
		}
	})
	t.Run("ended", func(t *testing.T) {
		t.Parallel()
		p, q := grower(t), grower(t)
		r := armed(t, "swap>1G", "--when", "threads>9", "-p", fmt.Sprint(p.PID()), "-p", fmt.Sprint(q.PID()), "-o", "x.json")
		p.Close()
		r.says("has ended")
		q.Close()
		want := fmt.Sprintf(`waiting until threads>9 or swap>1G for grow (%d), grow (%d); Ctrl-C gives up
grow (%[1]d) has ended
mmtrace: grow (%[2]d) ended before threads>9 or swap>1G held (threads was 1, swap was 0 B): nothing was traced
  try:   mmtrace -- COMMAND, which traces it from its start
`, p.PID(), q.PID())
		if got := r.wait(); got.code != exitNoTarget || got.out != "" || got.err != want {
			t.Errorf("exit code %d\n%s%s", got.code, got.out, got.err)
		}
		if _, err := os.Stat(filepath.Join(r.cmd.Dir, "x.json")); err == nil {
			t.Error("a report was written")
		}
	})
	t.Run("one of two ends and the other fires", func(t *testing.T) {
		t.Parallel()
		p, q := grower(t), grower(t)
		r := armed(t, "fds>200", "-p", fmt.Sprint(p.PID()), "-p", fmt.Sprint(q.PID()), "-d", "1")
		p.Close()
		r.says("has ended")
		order(q, "open 300")
		r.attached()
		got := r.wait()
		if want := fmt.Sprintf("grow (%d): fds is 3", q.PID()); got.code != exitOK || !strings.Contains(got.err, want) ||
			!strings.HasPrefix(got.out, fmt.Sprintf("grow (pid %d): ", q.PID())) {
			t.Errorf("exit code %d\n%s%s", got.code, got.err, got.out)
		}
	})
}
