package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// glances is how often a program is held up under load to be compared.
const glances = 3

// TestPrograms attaches to unmodified programs while they are at work, holds
// them up in the middle of it and at the end, and compares every process with
// the kernel's map each time.
func TestPrograms(t *testing.T) {
	all := servers()
	if !testing.Short() {
		all = append(all, stressors()...)
	}
	held := 0 // programs of which a map was compared: a short one may end before that
	for _, pr := range all {
		t.Run(pr.name, func(t *testing.T) {
			for _, need := range pr.needs {
				if _, err := exec.LookPath(need); err != nil {
					testutil.Need(t, need)
				}
			}
			if observe(t, pr) > 0 {
				held++
			}
		})
	}
	if held < len(all)*2/3 {
		t.Errorf("maps of only %d of %d programs were compared", held, len(all))
	}
}

// observe runs one program with a trace, and returns how many maps were
// compared.
func observe(t *testing.T, pr program) int {
	dir := workDir(t, pr)
	pr.prepare(t, dir)
	root := launch(t, pr, dir)
	if pr.ready != nil {
		eventually(t, pr.name+" to be ready", func() bool { return pr.command(dir, pr.ready).Run() == nil })
	}
	idle := treeFaults(root)
	done := work(t, pr, dir, root)
	eventually(t, pr.name+" to be at work", func() bool {
		return isClosed(done) || treeFaults(root) > idle && len(descendants(root)) >= pr.family
	})

	s := attachTree(t, root)
	underLoad := 0
	for range glances {
		runFor(t, s, 200*time.Millisecond, done)
		f := freeze(t, s)
		f.compare()
		f.thaw()
		underLoad += f.total
	}
	runFor(t, s, time.Minute, done)
	f := freeze(t, s)
	f.compare()
	s.Settle(Stopped)
	if f.total > 0 { // else it was about to end
		checkOracle(t, s)
	}
	checkExact(t, s)
	checkReplays(t, s, 0)
	f.thaw()
	st := s.trace.Tracker().Stats()
	t.Logf("%d processes, %d maps compared under load, %d at the end, %d page counts, %d events",
		len(s.trace.Tracker().Processes()), underLoad, f.total, st.Checks, s.facts.Kernel.Events)
	return f.total + underLoad
}

// prepare runs what has to be run before the program, in its directory.
func (pr program) prepare(t *testing.T, dir string) {
	t.Helper()
	for _, argv := range pr.setup {
		if out, err := pr.command(dir, argv).CombinedOutput(); err != nil {
			t.Fatalf("running %q: %v\n%s", argv, err, out)
		}
	}
}

// output is where launch lets the program write, in the program's directory.
func (pr program) output(dir string) string { return filepath.Join(dir, pr.name+".output") }

// launch starts the program in a process group of its own, which ends with the
// test, and returns its process.
func launch(t *testing.T, pr program, dir string) int {
	t.Helper()
	cmd := pr.command(dir, pr.argv)
	cmd.SysProcAttr.Setpgid = true
	out, err := os.Create(pr.output(dir))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pr.end != 0 && syscall.Kill(cmd.Process.Pid, pr.end) == nil {
			_ = cmd.Wait()
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error means that all have ended
		_ = cmd.Wait()
		if b, err := os.ReadFile(out.Name()); err == nil && t.Failed() {
			t.Logf("%s wrote:\n%s", pr.name, b)
		}
		out.Close()
	})
	return cmd.Process.Pid
}

// work runs the program's load and closes the channel at its end; without a load
// that is the program's own end.
func work(t *testing.T, pr program, dir string, root int) <-chan struct{} {
	done := make(chan struct{})
	if pr.load == nil {
		go func() {
			defer close(done)
			for isRunning(root) {
				time.Sleep(5 * time.Millisecond)
			}
		}()
		return done
	}
	cmds := make([]*exec.Cmd, len(pr.load))
	for i, argv := range pr.load {
		cmds[i] = pr.command(dir, argv)
	}
	go func() {
		defer close(done)
		for _, cmd := range cmds {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("running %q: %v\n%s", cmd.Args, err, out)
			}
		}
	}()
	return done
}

// attachTree attaches to a process and all its descendants.
func attachTree(t *testing.T, root int) *Session {
	t.Helper()
	cfg := Config{Follow: true, CheckReplays: true}
	for _, pid := range descendants(root) {
		p, err := procfs.Open(event.PID(pid))
		if err != nil {
			continue // it has just ended
		}
		t.Cleanup(func() { p.Close() })
		cfg.Targets = append(cfg.Targets, p)
	}
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// treeFaults returns how many page faults a process and its descendants have had.
func treeFaults(root int) int {
	n := 0
	for _, pid := range descendants(root) {
		n += minorFaults(pid)
	}
	return n
}

// descendants returns a process and its children, theirs, and so on.
func descendants(pid int) []int {
	out := []int{pid}
	tasks, err := filepath.Glob(procPath(pid, "task/*/children"))
	if err != nil {
		return out
	}
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for child := range strings.FieldsSeq(string(b)) {
			out = append(out, descendants(number(child))...)
		}
	}
	return out
}

// runFor traces for a while, or until done is closed.
func runFor(t testing.TB, s *Session, d time.Duration, done <-chan struct{}) {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		select {
		case <-done:
		case <-time.After(d):
		}
	}()
	if _, err := s.Run(stop, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
}
