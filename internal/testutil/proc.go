package testutil

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long a Proc waits for a line or for the end of its process
// before the test fails.
const Patience = 2 * time.Minute

// A Proc is a running fixture. Its methods fail the test on any error, so they
// belong to the goroutine that runs the test.
type Proc struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // closed at the end of the output

	exited chan struct{}
	err    error // of Wait, once exited is closed
	stderr lockedBuffer
	closed bool
	ended  chan struct{} // closed with the test: nobody reads any more
}

// Start runs a fixture and returns once it has said "ready"; Send("go") lets it
// begin. The process is killed, by its own id, when the test ends or when the
// test's process dies, whichever is first.
func Start(t testing.TB, path string, args ...string) *Proc {
	t.Helper()
	return StartCmd(t, exec.Command(path, args...))
}

// StartCmd is Start for a command that the caller has prepared: its environment
// and directory, and its Path where that differs from its Args[0]. Stdin,
// Stdout and Stderr must be unset.
func StartCmd(t testing.TB, cmd *exec.Cmd) *Proc {
	t.Helper()
	p := &Proc{
		t:      t,
		name:   filepath.Base(cmd.Path),
		cmd:    cmd,
		lines:  make(chan string, 1024),
		exited: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	// A pipe of our own: Wait would close one of exec's before it is drained.
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	cmd.Stdout, cmd.Stderr = w, &p.stderr
	// Children of the fixture that live on must not block Wait.
	cmd.WaitDelay = 5 * time.Second
	dieWithParent(cmd)
	err = startAnchored(cmd)
	w.Close()
	if err != nil {
		out.Close()
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go p.read(out)
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	p.WaitFor("ready")
	return p
}

// read delivers the lines of r until its end or the end of the test.
func (p *Proc) read(r *os.File) {
	defer r.Close()
	defer close(p.lines)
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		select {
		case p.lines <- sc.Text():
		case <-p.ended:
			return
		}
	}
}

// PID returns the process's id.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Send writes one line to the process.
func (p *Proc) Send(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatalf("writing %q to %s: %v", line, p.describe(), err)
	}
}

// ReadLine returns the next line of the process, without its newline. The end
// of the output fails the test.
func (p *Proc) ReadLine() string {
	p.t.Helper()
	line, ok := p.Next()
	if !ok {
		p.t.Fatalf("reading from %s: it ended", p.describe())
	}
	return line
}

// Next returns the next line of the process, or false at the end of its output.
func (p *Proc) Next() (string, bool) {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		return line, ok
	case <-time.After(Patience):
		p.t.Fatalf("reading from %s: nothing in %v", p.describe(), Patience)
	}
	return "", false
}

// WaitFor reads until the process says the line word and returns the lines
// before it.
func (p *Proc) WaitFor(word string) []string {
	p.t.Helper()
	var before []string
	for {
		line, ok := p.Next()
		if !ok {
			p.t.Fatalf("waiting for %q of %s: it ended after %q", word, p.describe(), before)
		}
		if line == word {
			return before
		}
		before = append(before, line)
	}
}

// Run lets a fixture work: it sends "go" and returns the lines up to "done". The
// process stays alive.
func (p *Proc) Run() []string {
	p.t.Helper()
	p.Send("go")
	return p.WaitFor("done")
}

// Exited returns a channel that is closed when the process is gone and reaped.
func (p *Proc) Exited() <-chan struct{} { return p.exited }

// Close ends the fixture's input, waits for the process and fails the test
// unless it exits with 0. Calls after the first do nothing.
func (p *Proc) Close() {
	p.t.Helper()
	if p.closed {
		return
	}
	p.closed = true
	p.stdin.Close()
	select {
	case <-p.exited:
	case <-time.After(Patience):
		p.t.Fatalf("ending %s: still there after %v", p.describe(), Patience)
	}
	if p.err != nil && !errors.Is(p.err, exec.ErrWaitDelay) {
		p.t.Fatalf("ending %s: %v", p.describe(), p.err)
	}
}

func (p *Proc) kill() {
	p.stdin.Close()
	p.cmd.Process.Kill() // an error means that it has ended
	<-p.exited
	close(p.ended)
	if p.t.Failed() {
		if msg := p.stderr.String(); msg != "" {
			p.t.Logf("%s wrote to stderr:\n%s", p.name, msg)
		}
	}
}

func (p *Proc) describe() string {
	words := slices.Clone(p.cmd.Args)
	if len(words) > 0 {
		words[0] = p.name
	}
	return fmt.Sprintf("%q (process %d)", strings.Join(words, " "), p.cmd.Process.Pid)
}

// startAnchored starts cmd from an operating system thread that never ends: the
// signal on the parent's death means the death of the thread that forked.
func startAnchored(cmd *exec.Cmd) error {
	anchor.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range starts {
				f()
			}
		}()
	})
	done := make(chan error)
	starts <- func() { done <- cmd.Start() }
	return <-done
}

var (
	anchor sync.Once
	starts = make(chan func())
)

// A lockedBuffer is written by the goroutine that copies stderr and read by the
// test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
