package conformance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	defaultLimit = time.Minute
	// lingering is the time that descendants have once the command is gone.
	lingering  = 5 * time.Second
	keptOutput = 16 << 10
)

const options = unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_EXITKILL

// Run runs c and all its descendants to their end, calling h on the way. The
// error is about the tracing; what the command did is in the result. Several
// Runs may go on at once.
func Run(c Command, h Hooks) (Result, error) {
	type answer struct {
		res Result
		err error
	}
	ch := make(chan answer)
	onOwnThread(func() {
		res, err := run(c, h)
		ch <- answer{res, err}
	})
	a := <-ch
	if a.err != nil {
		return a.res, fmt.Errorf("driving %q: %w", c.Argv, a.err)
	}
	return a.res, nil
}

// onOwnThread calls f, once, on a thread that ends with it: a tracee belongs to the
// thread that attached, and what is left of them goes with it. The thread has no
// children from before, which somebody else waits for: f would reap them.
func onOwnThread(f func()) {
	found := make(chan struct{})
	var try func()
	try = func() {
		runtime.LockOSThread()
		if hasChildren() {
			go try()
			<-found // until then it cannot be tried again
			runtime.UnlockOSThread()
			return
		}
		close(found)
		f()
	}
	go try()
}

// hasChildren tells whether the calling thread has started a process that nobody has
// waited for yet.
func hasChildren() bool {
	return !errors.Is(unix.Waitid(unix.P_ALL, 0, nil, anyChange|unix.WNOHANG, nil), unix.ECHILD)
}

// anyChange asks for all children of the calling thread, and reaps none.
const anyChange = unix.WEXITED | unix.WSTOPPED | unix.WALL | unix.WNOTHREAD | unix.WNOWAIT

func run(c Command, h Hooks) (Result, error) {
	out, err := os.CreateTemp("", "conformance-")
	if err != nil {
		return Result{}, err
	}
	defer out.Close()
	os.Remove(out.Name())

	d := &driver{hooks: h, tasks: make(map[int]*task), early: make(map[int]bool)}
	if err := d.start(c, out); err != nil {
		return Result{}, err
	}
	limit := c.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	d.cap = time.AfterFunc(limit, d.killAll)
	err = d.loop()
	if err != nil {
		d.killAll()
		d.drain()
	}
	return d.finish(out), err
}

// start starts the command and seizes it before its first instruction.
// PTRACE_SEIZE, unlike PTRACE_TRACEME, tells group stops from signals, so that
// programs which stop and continue each other work as they do untraced.
func (d *driver) start(c Command, out *os.File) error {
	path, err := find(c)
	if err != nil {
		return err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(path, c.Argv, &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   append(os.Environ(), c.Env...),
		Files: []uintptr{null.Fd(), out.Fd(), out.Fd()},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	if err := seize(pid); err != nil {
		unix.Kill(pid, unix.SIGKILL)
		unix.Wait4(pid, nil, unix.WALL, nil)
		return fmt.Errorf("seizing process %d: %w", pid, err)
	}
	d.root = pid
	d.add(pid, &task{tgid: pid, space: new(space)})
	d.exec(pid)
	return unix.Kill(pid, unix.SIGCONT)
}

// find returns the path of the program; a relative one begins in the command's
// directory, as it will for execve.
func find(c Command) (string, error) {
	if len(c.Argv) == 0 {
		return "", errors.New("finding the program: no arguments")
	}
	name := c.Argv[0]
	if c.Dir == "" || filepath.IsAbs(name) || !strings.ContainsRune(name, '/') {
		return exec.LookPath(name)
	}
	if _, err := exec.LookPath(filepath.Join(c.Dir, name)); err != nil {
		return "", err
	}
	return name, nil
}

// seize turns the traced stop at the end of a first exec into a stop, and that
// into a seized one.
func seize(pid int) error {
	var ws unix.WaitStatus
	if _, err := wait(pid, &ws, unix.WALL); err != nil {
		return err
	}
	if !ws.Stopped() {
		return fmt.Errorf("process ended before its first instruction: status %#x", uint32(ws))
	}
	if err := ptrace(unix.PTRACE_DETACH, pid, uintptr(unix.SIGSTOP)); err != nil {
		return err
	}
	if _, err := wait(pid, &ws, unix.WALL|unix.WUNTRACED); err != nil {
		return err
	}
	return ptrace(unix.PTRACE_SEIZE, pid, options)
}

func ptrace(request, pid int, data uintptr) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(pid), 0, data, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func wait(pid int, ws *unix.WaitStatus, flags int) (int, error) {
	for {
		got, err := unix.Wait4(pid, ws, flags, nil)
		if !errors.Is(err, unix.EINTR) {
			return got, err
		}
	}
}

func tail(f *os.File) []byte {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	b := make([]byte, min(size, keptOutput))
	n, err := f.ReadAt(b, size-int64(len(b)))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return b[:n]
}

// A driver traces one command. Its maps belong to the tracing thread, but for
// what mu protects.
type driver struct {
	hooks Hooks
	root  int
	res   Result
	cap   *time.Timer
	// early are new tasks that were met before their parents told of them.
	early map[int]bool
	// elders are tasks that came when there were few, of which turn says whose turn
	// it is.
	elders []int
	turn   int

	// mu protects tasks, and is held from before a task is reaped until it is
	// out of tasks: what is in there can be killed by its id.
	mu     sync.Mutex
	tasks  map[int]*task
	killed bool
	done   bool
}

// A task is a thread.
type task struct {
	tgid  int
	space *space
}

// A space is an address space, the same for all tasks that use it.
type space struct {
	users   int          // tasks that were not reaped
	running map[int]bool // of these, those that are not exiting, by thread ID
	checked bool         // there was a quiet point at its end
}

// maxRunning bounds the tasks of a space of which it is asked whether they rest: of
// thousands that exit at once each would ask for all the others.
const maxRunning = 64

// maxElders bounds the tasks that are asked one by one.
const maxElders = 16

func (d *driver) add(tid int, t *task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(tid, t)
}

// put adds a task; the caller holds mu, as for forget.
func (d *driver) put(tid int, t *task) {
	d.tasks[tid] = t
	if len(d.elders) < maxElders {
		d.elders = append(d.elders, tid)
	}
	sp := t.space
	if sp.running == nil {
		sp.running = make(map[int]bool)
	}
	sp.users++
	sp.running[tid] = true
	if d.killed {
		unix.Kill(tid, unix.SIGKILL)
	}
}

// forget takes out a task, and returns it if there was one.
func (d *driver) forget(tid int) *task {
	t := d.tasks[tid]
	if t != nil {
		delete(d.tasks, tid)
		delete(t.space.running, tid)
		t.space.users--
	}
	return t
}

// killAll kills every task by its id. Those that appear later are killed by add.
func (d *driver) killAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done {
		return
	}
	d.killed = true
	if _, ok := d.tasks[d.root]; ok {
		d.res.TimedOut = true
	} else {
		d.res.Left = len(d.tasks)
	}
	for tid := range d.tasks {
		unix.Kill(tid, unix.SIGKILL)
	}
}

// finish returns the result, to which killAll adds no more.
func (d *driver) finish(out *os.File) Result {
	d.cap.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = true
	d.res.Output = tail(out)
	return d.res
}

// drain reaps what killAll left.
func (d *driver) drain() {
	var ws unix.WaitStatus
	for {
		pid, err := wait(-1, &ws, unix.WALL|unix.WNOTHREAD)
		if err != nil {
			return
		}
		if ws.Stopped() {
			ptrace(unix.PTRACE_CONT, pid, 0) // an error means that it is gone
		}
	}
}
