package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// The files of a child that waits to become the command.
const (
	goFD     = 3 // readable, and at its end when the parent is gone: a byte lets it go
	statusFD = 4 // writable: readyMark, then the number of an error if exec fails
)

const readyMark = "r"

// A command is the process that runs what came after "--". It is started
// before its exec, so that nothing since then is missed: a copy of this program
// waits until release and then becomes the command, with the same pid.
type command struct {
	name   string
	proc   *procfs.Process
	cmd    *exec.Cmd
	goes   *os.File
	status *os.File
	ended  chan struct{} // closed when code is known
	code   int

	released bool
	resumed  atomic.Bool // since its exec, which stops it
}

// A startError says that a command cannot be run. Its code is that of sh(1).
type startError struct {
	name string
	code int
	err  error
}

func (e *startError) Error() string { return fmt.Sprintf("running %s: %v", quoteWord(e.name), e.err) }
func (e *startError) Unwrap() error { return e.err }

func (e *startError) advice() []advice {
	switch {
	case strings.ContainsAny(e.name, " ;|&<>$"):
		return []advice{{"try:", "mmtrace -- sh -c " + quoteWord(e.name)}}
	case errors.Is(e.err, syscall.ENOEXEC):
		return []advice{{"try:", "mmtrace -- sh " + quoteWord(e.name) + ", if it is a script whose first line does not name its shell"}}
	case e.code == exitNotFound && !strings.Contains(e.name, "/"):
		return []advice{{"try:", "mmtrace -- ./" + quoteWord(e.name) + ", if it is in this directory (sudo has a PATH of its own)"}}
	}
	return nil
}

func newStartError(name string, err error) *startError {
	code := exitCannotExec
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		code = exitNotFound
	}
	var ee *exec.Error
	if errors.As(err, &ee) {
		err = ee.Err
	}
	return &startError{name, code, bareCause(err)}
}

// lookCommand returns the path of the command, "" if there is none.
func (o *options) lookCommand() (string, error) {
	if len(o.command) == 0 {
		return "", nil
	}
	path, err := exec.LookPath(o.command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", newStartError(o.command[0], err)
	}
	return path, nil
}

// startCommand starts the command at path, stopped. The caller calls abandon.
func startCommand(path string, o *options, s streams) (*command, error) {
	who, err := o.commandUser(os.Geteuid(), os.Getenv)
	if err != nil {
		return nil, err
	}
	goRead, goWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.command[0], err)
	}
	defer goRead.Close()
	statusRead, statusWrite, err := os.Pipe()
	if err != nil {
		goWrite.Close()
		return nil, fmt.Errorf("starting %s: %w", o.command[0], err)
	}
	defer statusWrite.Close()

	c := &command{name: o.command[0], goes: goWrite, status: statusRead, ended: make(chan struct{})}
	c.cmd = &exec.Cmd{
		Path: "/proc/self/exe",
		Args: append([]string{"mmtrace", execStoppedVerb, who.ids(), path}, o.command...),
		Env:  who.environ(os.Environ()), Stdin: s.in, Stdout: s.out.Writer, Stderr: s.err.Writer,
		ExtraFiles: []*os.File{goRead, statusWrite}, // goFD, statusFD
	}
	if err := c.cmd.Start(); err != nil {
		close(c.ended)
		c.abandon()
		return nil, newStartError(c.name, err)
	}
	statusWrite.Close() // or its end would never be read
	go c.reap()
	if err := c.pin(); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

// pin waits until the child is ready and opens it.
func (c *command) pin() error {
	mark := make([]byte, len(readyMark))
	if _, err := io.ReadFull(c.status, mark); err != nil || string(mark) != readyMark {
		rest, _ := io.ReadAll(c.status)
		return c.failed(string(mark) + string(rest))
	}
	var err error
	c.proc, err = procfs.Open(event.PID(c.cmd.Process.Pid))
	return err
}

// failed turns what the child wrote, the number of an error, into one.
func (c *command) failed(text string) error {
	c.released = false
	n, err := strconv.Atoi(strings.Trim(text, "\x00"))
	if err != nil {
		return &startError{c.name, exitCannotExec, errors.New("the process ended before the command began")}
	}
	if errno := syscall.Errno(n); errno == syscall.ENOENT { // not the file itself, which was found
		return newStartError(c.name, fmt.Errorf("its interpreter: %w", errno))
	}
	return newStartError(c.name, syscall.Errno(n))
}

// release lets the child become the command. It returns when it has, or an
// error if it could not.
func (c *command) release() error {
	c.released = true
	if _, err := c.goes.Write([]byte{1}); err != nil {
		return c.failed("")
	}
	text, err := io.ReadAll(c.status) // at its end after exec
	if err != nil || len(text) > 0 {
		return c.failed(string(text))
	}
	return nil
}

// resume lets the command go on after its exec. It may be called again.
func (c *command) resume() {
	if !c.resumed.Swap(true) {
		_ = c.cmd.Process.Signal(syscall.SIGCONT) // it may have been killed
	}
}

func (c *command) reap() {
	c.cmd.Wait() // its error says no more than the status
	c.code = exitFailure
	if st := c.cmd.ProcessState; st != nil {
		c.code = exitStatus(st.Sys().(syscall.WaitStatus))
	}
	close(c.ended)
}

// runs reports whether the command was released and has not ended.
func (c *command) runs() bool {
	select {
	case <-c.ended:
		return false
	default:
		return c.released
	}
}

// wait returns the command's exit status, as sh(1) has it, when it has ended. If
// it was never released it does not become the command, and ends at once.
func (c *command) wait() int {
	if c.released {
		c.resume() // no more events come
	} else {
		c.goes.Close()
	}
	<-c.ended
	return c.code
}

// passGrace is how long a command may take to end at a signal before its user is
// told what another one does.
const passGrace = time.Second

// pass gives a signal to the command. An INT from a terminal has reached it
// already. If the command does not end, told is called.
func (c *command) pass(sig os.Signal, told func()) {
	if sig != os.Interrupt || !hasTerminal() {
		_ = c.cmd.Process.Signal(sig) // it may have ended
	}
	time.AfterFunc(passGrace, func() {
		if c.runs() {
			told()
		}
	})
}

func hasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// abandon frees what c holds. A command that was not released ends unseen; one
// that runs goes on.
func (c *command) abandon() {
	if c.released {
		c.resume() // or nobody would
	}
	c.goes.Close()
	c.status.Close()
	if c.proc != nil {
		c.proc.Close()
	}
}
