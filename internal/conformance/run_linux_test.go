package conformance

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// A watch checks the driver's promises: maps are there at a quiet point and
// every process was announced before.
type watch struct {
	execs, forks, shared int
	seen                 map[int]bool
}

func (w *watch) hooks() Hooks {
	w.seen = make(map[int]bool)
	return Hooks{
		Exec: func(pid int) { w.execs++; w.seen[pid] = true },
		Fork: func(parent, child int, sharesVM bool) {
			w.forks++
			if sharesVM {
				w.shared++
			}
			w.seen[child] = true
		},
		Quiet: func(pid, tid int) error {
			if !w.seen[pid] {
				return fmt.Errorf("meeting process %d: never announced", pid)
			}
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", tid))
			if err != nil {
				return err
			}
			if len(b) == 0 {
				return fmt.Errorf("reading the map of process %d: it is empty", pid)
			}
			again, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", tid))
			if err != nil {
				return err
			}
			if string(b) != string(again) {
				return fmt.Errorf("reading the map of process %d: it changes\n%s\n%s", pid, b, again)
			}
			return nil
		},
	}
}

// drive runs c with a watch and fails the test on any broken promise.
func drive(t *testing.T, c Command) (Result, *watch) {
	t.Helper()
	var w watch
	res, err := Run(c, w.hooks())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range res.Bad {
		t.Error(err)
	}
	if w.execs != res.Execs || w.forks != res.Processes-1 {
		t.Errorf("%d and %d hook calls, but %+v", w.execs, w.forks, res)
	}
	return res, &w
}

func TestRun(t *testing.T) {
	tests := []struct {
		name string
		c    Command
		want Result // but for Output
	}{
		{
			name: "one process",
			c:    Command{Argv: []string{"true"}},
			want: Result{Execs: 1, Processes: 1, Threads: 1, Quiet: 1},
		},
		{
			name: "a child that execs",
			c:    Command{Argv: []string{"sh", "-c", "cat /dev/null; exit $N"}, Env: []string{"N=7"}},
			want: Result{Exit: 7, Execs: 2, Processes: 2, Threads: 2, Quiet: 2},
		},
		{
			name: "death by signal",
			c:    Command{Argv: []string{"sh", "-c", "kill -TERM $$"}},
			want: Result{Exit: 143, Execs: 1, Processes: 1, Threads: 1, Quiet: 1},
		},
		{
			name: "death by SIGKILL",
			c:    Command{Argv: []string{"sh", "-c", "kill -KILL $$"}},
			want: Result{Exit: 137, Execs: 1, Processes: 1, Threads: 1, Quiet: 1},
		},
		{
			name: "stop and continue",
			c:    Command{Argv: []string{"sh", "-c", "(kill -STOP $$; kill -CONT $$) & wait; exit 3"}},
			want: Result{Exit: 3, Execs: 1, Processes: 2, Threads: 2, Quiet: 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, _ := drive(t, tt.c)
			res.Output = nil
			if fmt.Sprint(res) != fmt.Sprint(tt.want) {
				t.Errorf("got %+v, want %+v", res, tt.want)
			}
		})
	}
}

func TestRunKeepsOutput(t *testing.T) {
	res, _ := drive(t, Command{Argv: []string{"sh", "-c", "pwd; echo b >&2"}, Dir: "/"})
	if got := string(res.Output); got != "/\nb\n" {
		t.Errorf("output %q", got)
	}
}

func TestRunKillsAtTheLimit(t *testing.T) {
	start := time.Now()
	res, _ := drive(t, Command{Argv: []string{"sh", "-c", "cat /dev/zero >/dev/null & sleep 1000"}, Limit: time.Second})
	if !res.TimedOut || res.Exit != 137 || res.Quiet != 3 || time.Since(start) > 20*time.Second {
		t.Errorf("after %v: %+v", time.Since(start), res)
	}
}

func TestRunKillsWhatLingers(t *testing.T) {
	res, _ := drive(t, Command{Argv: []string{"sh", "-c", "sleep 1000 & exit 0"}})
	if res.TimedOut || res.Exit != 0 || res.Left != 1 || res.Quiet != 2 {
		t.Errorf("%+v", res)
	}
}

func TestRunSeveralAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			res, err := Run(Command{Argv: []string{"sh", "-c", fmt.Sprintf("cat /dev/null; exit %d", i)}}, Hooks{})
			if err != nil || res.Exit != i {
				t.Errorf("run %d: %+v, %v", i, res, err)
			}
		})
	}
	wg.Wait()
}

// TestRunLeavesOthersAlone: a thread that runs a command may have started a process
// before, which is not the command's.
func TestRunLeavesOthersAlone(t *testing.T) {
	const threads = 8
	var locked, started sync.WaitGroup
	locked.Add(threads)
	others := make([]*exec.Cmd, threads)
	inputs := make([]io.Closer, threads)
	for i := range threads {
		started.Go(func() {
			runtime.LockOSThread() // so that each has another
			defer runtime.UnlockOSThread()
			locked.Done()
			locked.Wait()
			cmd := exec.Command("cat")
			in, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Error(err)
				return
			}
			others[i], inputs[i] = cmd, in
		})
	}
	started.Wait()
	if t.Failed() {
		return
	}
	for range threads {
		if res, err := Run(Command{Argv: []string{"true"}}, Hooks{}); err != nil || res.Exit != 0 || res.Processes != 1 {
			t.Errorf("%+v, %v", res, err)
		}
	}
	for i, cmd := range others {
		inputs[i].Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestRunNamesAMissingProgram(t *testing.T) {
	if _, err := Run(Command{Argv: []string{"no-such-program"}}, Hooks{}); err == nil {
		t.Error("no error")
	}
}

// TestRunFollowsEverything runs the fixture with a thread that execs, children
// that share the space and children that do not.
func TestRunFollowsEverything(t *testing.T) {
	sem := testutil.Compile(t, "sem.c", "-O2")
	res, w := drive(t, Command{Argv: []string{"sh", "-c", "yes go | head -n 1000 | " + sem}})
	if res.Exit != 0 || res.Missed != 0 || w.shared != 3 || !strings.HasSuffix(string(res.Output), "done\n") {
		t.Errorf("%d share, %+v\n%s", w.shared, res, res.Output)
	}
}

func TestRunChaos(t *testing.T) {
	chaos := testutil.Compile(t, "chaos.c", "-O2")
	res, _ := drive(t, Command{Argv: []string{"sh", "-c", "echo go | " + chaos + " 2 8 2"}})
	if res.Exit != 0 || res.Missed != 0 || res.TimedOut {
		t.Errorf("%+v\n%s", res, res.Output)
	}
	t.Logf("%d processes, %d quiet points", res.Processes, res.Quiet)
}

// Of many tasks that exit from one space at once only the last are quiet points: the
// others do not ask for all the others.
func TestManyThatExitAtOnce(t *testing.T) {
	const tasks = 1000
	d := &driver{tasks: make(map[int]*task)}
	space := new(space)
	const noTask = 1 << 23 // above what a process ID can be: it rests
	for i := range tasks {
		d.add(noTask+i, &task{tgid: noTask + i, space: space})
	}
	for i := range tasks {
		d.exits(noTask + i)
	}
	if d.res.Quiet != maxRunning+1 || !space.checked {
		t.Errorf("%d quiet points of %d tasks, want %d; checked: %t", d.res.Quiet, tasks, maxRunning+1, space.checked)
	}
	for i := range tasks {
		d.forget(noTask + i)
	}
	if space.users != 0 || len(d.tasks) != 0 {
		t.Errorf("%d users and %d tasks are left", space.users, len(d.tasks))
	}
}

// The oldest tasks are asked in their turn, as long as they are there.
func TestEldersTakeTurns(t *testing.T) {
	d := &driver{tasks: make(map[int]*task)}
	for tid := 1; tid <= 2*maxElders; tid++ {
		d.add(tid, &task{tgid: tid, space: new(space)})
	}
	d.forget(3)
	asked := make(map[int]int)
	for range 2 * (maxElders - 1) {
		asked[d.elder()]++
	}
	for tid := 1; tid <= maxElders; tid++ {
		if want := 2; tid != 3 && asked[tid] != want {
			t.Errorf("task %d was asked %d times, want %d", tid, asked[tid], want)
		}
	}
	if len(asked) != maxElders-1 {
		t.Errorf("%d tasks were asked, want %d", len(asked), maxElders-1)
	}
	for tid := range 2*maxElders + 1 {
		d.forget(tid)
	}
	if tid := d.elder(); tid != 0 {
		t.Errorf("task %d is asked, and is gone", tid)
	}
}
