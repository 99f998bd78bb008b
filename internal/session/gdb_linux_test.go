package session

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/internal/unwind"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A mapCall is one call of mmap, as either side saw it.
type mapCall struct {
	tid    event.TID
	time   event.Time // of the call's return, or of gdb's stop there
	result uint64
	frames []uint64
	stop   unwind.Stop
}

// TestStacksAgainstGDB compares whole stacks of mmap with those that gdb, which
// reads the same unwind information, finds at the very same calls.
// MMTRACE_GDB_EVENTS is how many calls of each program.
func TestStacksAgainstGDB(t *testing.T) {
	count := env("MMTRACE_GDB_EVENTS", 60)
	if _, err := exec.LookPath("gdb"); err != nil {
		testutil.Need(t, "gdb")
	}
	var calls, equal, cut int
	for _, p := range gdbPrograms(t) {
		t.Run(p.name, func(t *testing.T) {
			got, want := traceBoth(t, p, count)
			c, e, x := compareCalls(t, got, want)
			t.Logf("%d calls, %d identical, %d marked as not complete", c, e, x)
			if c < min(count, 20) {
				t.Errorf("only %d calls could be compared", c)
			}
			calls, equal, cut = calls+c, equal+e, cut+x
		})
	}
	t.Logf("all: %d calls, %d identical, %d marked as not complete", calls, equal, cut)
	if calls-equal > calls/1000 {
		t.Errorf("%d of %d stacks are not gdb's", calls-equal, calls)
	}
}

// traceBoth runs p under both until gdb has seen count calls.
func traceBoth(t *testing.T, p gdbProgram, count int) (got, want []mapCall) {
	t.Helper()
	pid := p.start(t)
	stacks := make(map[stack.ID]*event.Event)
	var calls []event.Event
	s := start(t, pid, Config{RingBytes: 64 << 20, Record: func(report.Facts) func(*event.Event) error {
		return func(ev *event.Event) error {
			switch ev.Kind {
			case event.StackDef:
				c := *ev
				stacks[ev.Stack] = &c
			case event.Mmap:
				calls = append(calls, *ev)
			}
			return nil
		}
	}})
	stop := make(chan struct{})
	if p.load != nil {
		go p.load(stop)
	}
	runUntil(t, s, func() { want = underGDB(t, pid, count) })
	close(stop)
	for i := range calls {
		c := mapCall{tid: calls[i].TID, time: calls[i].Time, result: uint64(calls[i].Ret)}
		if st := stacks[calls[i].Stack]; st != nil {
			c.frames, c.stop = st.Frames, unwind.Stop(event.StackStop(st.Aux))
		}
		got = append(got, c)
	}
	return got, want
}

// underGDB returns the next calls as gdb sees them.
func underGDB(t *testing.T, pid, count int) []mapCall {
	dir := t.TempDir()
	out, ready := filepath.Join(dir, "frames"), filepath.Join(dir, "ready")
	cmd := exec.Command("gdb", "-nx", "-q", "-batch", "-p", strconv.Itoa(pid), "-x", "testdata/gdb/frames.py")
	cmd.Env = append(os.Environ(), "FRAMES="+out, "READY="+ready, "COUNT="+strconv.Itoa(count), "DEBUGINFOD_URLS=")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		_ = cmd.Process.Kill()
		t.Error("gdb does not end")
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Errorf("%v: %s", err, log.String())
	}
	return parseFrames(t, b)
}

func parseFrames(t *testing.T, b []byte) []mapCall {
	var out []mapCall
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		words := strings.Fields(sc.Text())
		if len(words) < 4 {
			continue
		}
		tid, err := strconv.ParseUint(words[0], 10, 32)
		if err != nil {
			t.Errorf("%q: %v", sc.Text(), err)
		}
		c := mapCall{tid: event.TID(tid)}
		for i, w := range words[1:] {
			v, err := strconv.ParseUint(w, 16, 64)
			if err != nil {
				t.Errorf("%q: %v", sc.Text(), err)
			}
			switch i {
			case 0:
				c.time = event.Time(v)
			case 1:
				c.result = v
			default:
				c.frames = append(c.frames, v)
			}
		}
		out = append(out, c)
	}
	return out
}

// compareCalls finds each of gdb's calls among ours and compares the frames: gdb
// stops a thread right behind our event, so it is the thread's last before that
// time. A stack of ours that is marked as not complete must be a part of gdb's.
func compareCalls(t *testing.T, got, want []mapCall) (calls, equal, cut int) {
	t.Helper()
	for _, w := range want {
		i := -1
		for k := range got {
			if got[k].tid == w.tid && got[k].time < w.time && (i < 0 || got[k].time > got[i].time) {
				i = k
			}
		}
		if i < 0 || got[i].result != w.result {
			t.Errorf("gdb's call of thread %d with result %#x is not among ours", w.tid, w.result)
			continue
		}
		calls++
		g := got[i]
		frames := w.frames[:min(len(w.frames), unwind.MaxFrames)]
		switch {
		case slices.Equal(g.frames, frames):
			equal++
		case g.stop != unwind.StopRoot && len(g.frames) < len(frames) && slices.Equal(g.frames, frames[:len(g.frames)]):
			cut++
		default:
			t.Errorf("call %d, stop %v:\nours  %s\ngdb's %s", calls, g.stop, hexes(g.frames), hexes(frames))
		}
	}
	return calls, equal, cut
}

func hexes(v []uint64) string { return fmt.Sprintf("%x", v) }
