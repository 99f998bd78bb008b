package session

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/internal/unwind"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// shortPrograms is how many children there are, one after the other.
const shortPrograms = 60

// TestShortProcesses traces a process whose children are gone before their first
// event is looked at. Every stack of theirs must be complete, and one of each lead
// through the C library to the program's own code.
func TestShortProcesses(t *testing.T) {
	exe := testutil.Compile(t, "short.c", "-O2")
	for _, tt := range []struct {
		name    string
		program func(t *testing.T) []string
	}{
		{"fork", func(*testing.T) []string { return nil }},
		{"exec of a file in use", func(*testing.T) []string { return []string{exe} }},
		{"exec of a file that nobody has open", func(t *testing.T) []string { return []string{copyOf(t, exe)} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(exe, append([]string{strconv.Itoa(shortPrograms)}, tt.program(t)...)...)
			s, calls := runShort(t, cmd, nil)
			allWhole(t, s, calls)
		})
	}
}

// TestShortProcessesElsewhere is the same for a program that only the traced process
// and its children see, in a mount namespace of their own.
func TestShortProcessesElsewhere(t *testing.T) {
	for _, tool := range []string{"unshare", "mount", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			testutil.Need(t, tool)
		}
	}
	cmd := exec.Command("unshare", "-m", "sh", "-ec", `mount -t tmpfs none "$1"; cp "$0" "$1/own"; exec "$0" "$2" "$1/own"`,
		testutil.Compile(t, "short.c", "-O2"), t.TempDir(), strconv.Itoa(shortPrograms))
	s, calls := runShort(t, cmd, nil)
	allWhole(t, s, calls)
}

// allWhole requires the stacks of all calls to be complete, and one of each child to
// lead through the C library to the program's own code.
func allWhole(t *testing.T, s *Session, calls []event.Event) {
	t.Helper()
	programs := make(map[event.SpaceID]bool)
	ends := make(map[unwind.Stop]int)
	for _, ev := range calls {
		path, stop := pathOf(t, s, &ev)
		ends[stop]++
		if strings.HasSuffix(path, stack.Incomplete) {
			t.Errorf("a %s of space %d: %s (unwind.Stop %d)", ev.Kind, ev.Space, path, stop)
		}
		if _, after, ok := strings.Cut(path, "malloc;"); ok && strings.Contains(after, "short_leaf;short_caller;") && strings.Contains(after, ";main;") {
			programs[ev.Space] = true
		}
	}
	t.Logf("%d stacks; by unwind.Stop: %v", len(calls), ends)
	if len(programs) != shortPrograms {
		t.Errorf("%d programs have a stack through the C library to their own code, want %d", len(programs), shortPrograms)
	}
}

// A file that has changed since a program was run is not taken for the program's: its
// stacks end where they enter it.
func TestShortProcessesOfAChangedFile(t *testing.T) {
	exe := testutil.Compile(t, "short.c", "-O2")
	for _, tt := range []struct {
		name   string
		change func(program string) error
	}{
		{"gone", os.Remove},
		{"written to", func(program string) error { return os.Chtimes(program, time.Time{}, time.Unix(1, 0)) }},
		{"replaced", func(program string) error {
			was, err := os.Stat(program)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(program)
			if err != nil {
				return err
			}
			beside := program + ".new"
			if err := os.WriteFile(beside, text, 0o700); err != nil {
				return err
			}
			if err := os.Chtimes(beside, time.Time{}, was.ModTime()); err != nil {
				return err
			}
			return os.Rename(beside, program)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := copyOf(t, exe)
			cmd := exec.Command(exe, strconv.Itoa(shortPrograms), program)
			s, calls := runShort(t, cmd, func() {
				if err := tt.change(program); err != nil {
					t.Fatal(err)
				}
			})
			incomplete := 0
			for _, ev := range calls {
				path, _ := pathOf(t, s, &ev)
				if strings.Contains(path, "short_") || strings.Contains(path, ";main;") {
					t.Errorf("a %s of space %d leads through the file: %s", ev.Kind, ev.Space, path)
				}
				if strings.HasSuffix(path, stack.Incomplete) {
					incomplete++
				}
			}
			if incomplete < shortPrograms {
				t.Errorf("%d stacks are incomplete, want one of each of %d programs at least", incomplete, shortPrograms)
			}
		})
	}
}

// copyOf returns the path of a copy of a file.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "a copy")
	if err := os.WriteFile(to, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return to
}

// runShort traces a command that becomes short.c to its end, and calls between, if not
// nil, before any event is looked at. It returns the calls of its children that have a
// stack.
func runShort(t *testing.T, cmd *exec.Cmd, between func()) (s *Session, calls []event.Event) {
	t.Helper()
	fixture := testutil.StartCmd(t, cmd)
	p, err := procfs.Open(event.PID(fixture.PID()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	s, err = Start(Config{
		Targets: []*procfs.Process{p}, Follow: true,
		Record: func(report.Facts) func(*event.Event) error {
			return func(ev *event.Event) error {
				if ev.Stack != 0 && ev.Kind.Call() && int(ev.PID) != fixture.PID() {
					calls = append(calls, *ev)
				}
				return nil
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	fixture.Run() // all children are gone then
	if between != nil {
		between()
	}
	s.Settle(Stopped)
	return s, calls
}

// pathOf joins the functions of a call's stack, leaf first, or files where there are no names.
func pathOf(t *testing.T, s *Session, ev *event.Event) (string, unwind.Stop) {
	t.Helper()
	c, ok := s.stacks.captured[ev.Stack]
	if !ok {
		t.Fatalf("a %s of space %d has a stack that did not come", ev.Kind, ev.Space)
	}
	var names []string
	for _, f := range c.frames() {
		names = append(names, cmp.Or(f.Function, fmt.Sprintf("[%s]", filepath.Base(f.Module))))
	}
	return strings.Join(names, ";"), c.stop
}
