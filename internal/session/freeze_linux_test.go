package session

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A frozen holds all processes under trace stopped.
type frozen struct {
	t       testing.TB
	s       *Session
	stopped map[event.PID]bool
	total   int // maps compared
}

// freeze stops every process under trace and applies all that they did.
func freeze(t testing.TB, s *Session) *frozen {
	t.Helper()
	f := &frozen{t: t, s: s, stopped: make(map[event.PID]bool)}
	for fresh := true; fresh; {
		catchUp(t, s)
		fresh = false
		for pid, p := range s.trace.Tracker().Processes() {
			if p.Ended || f.stopped[pid] || syscall.Kill(int(pid), syscall.SIGSTOP) != nil {
				continue
			}
			f.stopped[pid], fresh = true, true
		}
		for pid := range f.stopped {
			eventually(t, "process "+strconv.Itoa(int(pid))+" to stop", func() bool { return restsAll(int(pid)) })
		}
	}
	return f
}

// thaw lets the processes go on.
func (f *frozen) thaw() {
	for pid := range f.stopped {
		_ = syscall.Kill(int(pid), syscall.SIGCONT) // an error means that it has been killed
	}
}

// compare compares every process with its map: first what the events alone say,
// but for stacks that grew by themselves, and then what a reading adds.
func (f *frozen) compare() {
	f.t.Helper()
	wants := f.s.trace.Tracker().Wants()
	for _, read := range []bool{false, true} {
		if read {
			f.s.ReadWanted()
			catchUp(f.t, f.s)
		}
		for pid := range f.stopped {
			p := f.s.trace.Tracker().Processes()[pid]
			if !hasMap(int(pid)) || !read && wants[p.Space] == track.Growth {
				continue
			}
			f.total++
			if d := compare(f.t, f.s, pid); d != "" {
				f.t.Errorf("process %d (%s), after a reading %t: %s", pid, p.Comm, read, d)
			}
		}
	}
}

// restsAll reports whether no thread of a process can change its map: they are
// stopped, gone, or wait for a child that uses the same map to execute another
// program.
func restsAll(pid int) bool {
	tasks, err := filepath.Glob(procPath(pid, "task/*"))
	if err != nil {
		return false
	}
	for _, dir := range tasks {
		switch state(dir) {
		case 't', 'T', 'Z', 'X':
		case 'D':
			if !inClone(dir) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// state returns the state of the task with the given /proc directory; that of
// one that is gone is X.
func state(dir string) byte {
	b, err := os.ReadFile(dir + "/stat")
	i := bytes.LastIndexByte(b, ')')
	if err != nil || i < 0 || i+2 >= len(b) {
		return 'X'
	}
	return b[i+2]
}

// inClone reports whether a task is in vfork, clone or clone3, or was and is gone.
func inClone(dir string) bool {
	b, err := os.ReadFile(dir + "/syscall")
	if err != nil {
		return true
	}
	nr, _, _ := bytes.Cut(b, []byte(" "))
	switch string(nr) {
	case "56", "58", "220", "435":
		return true
	}
	return false
}

// hasMap reports whether a process's own task still has a map.
func hasMap(pid int) bool {
	b, err := os.ReadFile(procPath(pid, "maps"))
	return err == nil && len(b) > 0
}

func isRunning(pid int) bool {
	s := state(procPath(pid, ""))
	return s != 'Z' && s != 'X'
}

func procPath(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
