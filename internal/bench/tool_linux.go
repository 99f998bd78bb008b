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

// report returns the file of mmtrace's report.
func (b *bench) report() string { return filepath.Join(b.dir, "report.json") }

// An attached is a tool at work.
type attached struct {
	cmd  *exec.Cmd
	said *watched
	took time.Duration // until it said that it was ready
}

// attach starts a tool; one that does not attach returns nil.
func (b *bench) attach(t tool, pids ...int) (*attached, error) {
	if t.argv == nil {
		return nil, nil
	}
	cmd, err := b.command(t, t.argv(b, pids)...)
	if err != nil {
		return nil, err
	}
	a := &attached{cmd: cmd, said: newWatched(t.ready)}
	a.cmd.Stdout, a.cmd.Stderr = a.said, a.said
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
	said   string // while it ran the load
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
