package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A tool is a way to watch a process.
type tool struct {
	name   string
	argv   func(b *bench, pid int) []string
	ready  string        // what it says when it is attached; empty: nothing
	events bool          // it says nothing, and is attached once it holds perf's events
	settle time.Duration // from then on
	fp     bool          // it follows frame pointers
	slow   bool          // one round of one load is enough
}

var tools = []tool{
	{name: "untraced"},
	{
		name: "mmtrace", ready: "tracing ", settle: 100 * time.Millisecond,
		argv: func(b *bench, pid int) []string {
			return []string{b.mmtrace, "-d", "0", "-p", fmt.Sprint(pid), "-o", b.report()}
		},
	},
	{
		name: "bpftrace, ustack (frame pointers)", ready: "Attaching", settle: time.Second, fp: true,
		argv: func(_ *bench, pid int) []string {
			return []string{"bpftrace", "-e", fmt.Sprintf("tracepoint:syscalls:sys_enter_mmap,tracepoint:syscalls:sys_enter_munmap"+
				" /pid == %d/ { @[ustack] = count(); }", pid)}
		},
	},
	{
		name: "perf record -g (frame pointers)", events: true, settle: 300 * time.Millisecond, fp: true,
		argv: func(_ *bench, pid int) []string { return perf(pid, "-g") },
	},
	{
		name: "perf record --call-graph dwarf", events: true, settle: 300 * time.Millisecond,
		argv: func(_ *bench, pid int) []string { return perf(pid, "--call-graph", "dwarf") },
	},
	{
		name: "strace -f", ready: "attached", settle: 200 * time.Millisecond, slow: true,
		argv: func(_ *bench, pid int) []string {
			return []string{"strace", "-f", "-e", "trace=mmap,munmap", "-o", "/dev/null", "-p", fmt.Sprint(pid)}
		},
	},
	{
		name: "strace -f -k", ready: "attached", settle: 200 * time.Millisecond, slow: true,
		argv: func(_ *bench, pid int) []string {
			return []string{"strace", "-f", "-k", "-e", "trace=mmap,munmap", "-o", "/dev/null", "-p", fmt.Sprint(pid)}
		},
	},
}

func perf(pid int, how ...string) []string {
	argv := append([]string{"perf", "record", "-q", "-o", "/dev/null", "-e", "syscalls:sys_enter_mmap,syscalls:sys_enter_munmap"}, how...)
	return append(argv, "-p", fmt.Sprint(pid))
}

func toolNamed(name string) tool {
	for _, t := range tools {
		if t.name == name {
			return t
		}
	}
	panic("no tool " + name)
}

// report returns the file of mmtrace's report.
func (b *bench) report() string { return filepath.Join(b.dir, "report.json") }

// An attached is a tool at work.
type attached struct {
	cmd  *exec.Cmd
	said *watched
	took time.Duration // until it said that it was ready
}

// attach starts a tool; that of no watching returns nil.
func (b *bench) attach(t tool, pid int) (*attached, error) {
	if t.argv == nil {
		return nil, nil
	}
	argv := t.argv(b, pid)
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("%s: %w", argv[0], errMissing)
	}
	a := &attached{cmd: exec.Command(argv[0], argv[1:]...), said: newWatched(t.ready)}
	a.cmd.Stdout, a.cmd.Stderr = a.said, a.said
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", t.name, err)
	}
	if t.ready != "" {
		select {
		case <-a.said.found:
		case <-time.After(30 * time.Second):
			_ = a.cmd.Process.Kill() // it may have ended
			_ = a.cmd.Wait()
			return nil, fmt.Errorf("starting %s: it said only %q", t.name, a.said.text())
		}
	}
	for t.events && !holdsEvents(a.cmd.Process.Pid) {
		if time.Since(start) > 30*time.Second {
			_ = a.cmd.Process.Kill()
			_ = a.cmd.Wait()
			return nil, fmt.Errorf("starting %s: it opens no events and said only %q", t.name, a.said.text())
		}
		time.Sleep(5 * time.Millisecond)
	}
	a.took = time.Since(start)
	time.Sleep(t.settle)
	return a, nil
}

// holdsEvents reports whether a process has mapped the buffer of an event of perf,
// which it does last.
func holdsEvents(pid int) bool {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	return err == nil && bytes.Contains(maps, []byte("anon_inode:[perf_event]"))
}

// A usage is what a tool took for itself.
type usage struct {
	cpu    time.Duration
	rss    int64 // bytes, at most
	detach time.Duration
}

// detach ends a tool as Ctrl-C does.
func (a *attached) detach() usage {
	if a == nil {
		return usage{}
	}
	start := time.Now()
	_ = a.cmd.Process.Signal(os.Interrupt) // it may have ended
	timer := time.AfterFunc(60*time.Second, func() { _ = a.cmd.Process.Kill() })
	defer timer.Stop()
	_ = a.cmd.Wait() // many tools exit with a status of their own
	u := usage{detach: time.Since(start)}
	if st := a.cmd.ProcessState; st != nil {
		u.cpu = st.UserTime() + st.SystemTime()
		if ru, ok := st.SysUsage().(*syscall.Rusage); ok {
			u.rss = ru.Maxrss << 10
		}
	}
	return u
}

// A quality is what mmtrace's report says of itself.
type quality struct {
	Events, Lost, Missed uint64
	Verified             bool
}

func (b *bench) quality() (q quality, err error) {
	text, err := os.ReadFile(b.report())
	if err != nil {
		return q, err
	}
	defer os.Remove(b.report())
	var r struct{ Quality quality }
	if err := json.Unmarshal(text, &r); err != nil {
		return q, fmt.Errorf("reading mmtrace's report: %w", err)
	}
	return r.Quality, nil
}

// A watched keeps what a tool says, and tells when a word was among it.
type watched struct {
	mu    sync.Mutex
	b     bytes.Buffer
	word  string
	found chan struct{}
	done  bool
}

func newWatched(word string) *watched {
	return &watched{word: word, found: make(chan struct{})}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.b.Len() < 1<<16 {
		w.b.Write(p)
	}
	if !w.done && strings.Contains(w.b.String(), w.word) {
		w.done = true
		close(w.found)
	}
	return len(p), nil
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}
