package session

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
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

// A gdbProgram runs under gdb. load, if any, keeps it busy until it returns.
type gdbProgram struct {
	name string
	cmd  *exec.Cmd
	load func(stop <-chan struct{})
}

func gdbPrograms(t *testing.T) []gdbProgram {
	dir, err := filepath.Abs("testdata/gdb")
	if err != nil {
		t.Fatal(err)
	}
	c := func(name string, args []string, flags ...string) gdbProgram {
		exe := testutil.Compile(t, filepath.Join(dir, name), flags...)
		return gdbProgram{name: strings.Join(append([]string{name}, flags...), " "), cmd: exec.Command(exe, args...)}
	}
	lib := testutil.Compile(t, filepath.Join(dir, "library.c"), "-O2", "-shared", "-fPIC")
	list := []gdbProgram{
		c("signals.c", []string{lib}, "-O2", "-fomit-frame-pointer"),
		c("signals.c", nil, "-O2", "-static"),
		c("signals.c", nil, "-O1", "-static-pie"),
		c("signals.c", []string{lib}, "CC=clang-19", "-O2"),
		c("exceptions.cc", nil, "CC=g++", "-O2"),
		c("exceptions.cc", nil, "CC=g++", "-O3", "-flto", "-march=x86-64-v3"),
	}
	if rust := buildRust(t, filepath.Join(dir, "load.rs")); rust != "" {
		list = append(list, gdbProgram{name: "load.rs", cmd: exec.Command(rust)})
	}
	list = append(list, pythonProgram(), redisProgram(t))
	return list
}

func buildRust(t *testing.T, src string) string {
	rustc, err := exec.LookPath("rustc")
	if err != nil {
		testutil.Need(t, "rustc")
	}
	exe := filepath.Join(t.TempDir(), "load")
	if out, err := exec.Command(rustc, "-O", "-o", exe, src).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", src, err, out)
	}
	return exe
}

func pythonProgram() gdbProgram {
	const script = `
import mmap, json, os, re, sys
print("ready", flush=True)
def deep(n):
    if n: return deep(n - 1)
    m = mmap.mmap(-1, 4096 * 5); m.close()
    return bytearray(1 << 20)
while os.getppid() != 1:
    deep(7); json.loads('{"a": [1, 2, {"b": null}]}', object_hook=lambda d: deep(2) and d)
    re.sub("a", lambda m: str(len(deep(1))), "banana"); sorted([3, 1, 2], key=lambda x: len(deep(0)))
`
	return gdbProgram{name: "python3", cmd: exec.Command("python3", "-c", script)}
}

func redisProgram(t *testing.T) gdbProgram {
	exe, err := exec.LookPath("redis-server")
	if err != nil {
		testutil.Need(t, "redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	cmd := exec.Command("sh", "-c", `(echo ready) ; exec "$0" --port "$1" --save "" --bind 127.0.0.1 > /dev/null`, exe, port)
	cmd.Env = append(os.Environ(), "MALLOC_CONF=retain:false,dirty_decay_ms:0,muzzy_decay_ms:0")
	return gdbProgram{name: "redis-server", cmd: cmd, load: func(stop <-chan struct{}) {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = exec.Command("redis-benchmark", "-p", port, "-n", "400", "-q", "-d", "300000", "-r", "50",
				"-t", "set,lpush,lpop,mset").Run() // while gdb holds the server it may give up
		}
	}}
}

// traceBoth runs p under both until gdb has seen count calls.
func traceBoth(t *testing.T, p gdbProgram, count int) (got, want []mapCall) {
	t.Helper()
	target := testutil.StartCmd(t, p.cmd)
	stacks := make(map[stack.ID]*event.Event)
	var calls []event.Event
	s := start(t, target.PID(), Config{RingBytes: 64 << 20, Record: func(report.Facts) func(*event.Event) error {
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
	runUntil(t, s, func() { want = underGDB(t, target.PID(), count) })
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
