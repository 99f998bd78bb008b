package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// loop handles what the tracees report until none is left.
func (d *driver) loop() error {
	for {
		// Look, but do not reap: that is done under the lock.
		err := unix.Waitid(unix.P_ALL, 0, nil, anyChange, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("waiting for any process: %w", err)
		}
		if err := d.handle(-1); err != nil {
			return fmt.Errorf("waiting for any process: %w", err)
		}
		// The kernel tells of the newest task first: of one that makes others without
		// end the first would not even get the signal that ends it.
		if tid := d.elder(); tid != 0 {
			if err := d.handle(tid); err != nil && !errors.Is(err, unix.ECHILD) {
				return fmt.Errorf("waiting for process %d: %w", tid, err)
			}
		}
	}
}

// handle handles what tid, -1 for any, has to report, if anything.
func (d *driver) handle(tid int) error {
	tid, ws, err := d.reap(tid, unix.WNOHANG)
	if err == nil && tid != 0 && ws.Stopped() {
		d.stopped(tid, ws)
	}
	return err
}

// elder returns one of the oldest tasks, each in its turn, or 0.
func (d *driver) elder() int {
	d.elders = slices.DeleteFunc(d.elders, func(tid int) bool { return d.tasks[tid] == nil })
	if len(d.elders) == 0 {
		return 0
	}
	d.turn++
	return d.elders[d.turn%len(d.elders)]
}

// reap waits for tid, -1 for any, and forgets it if it has ended.
func (d *driver) reap(tid, flags int) (int, unix.WaitStatus, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ws unix.WaitStatus
	tid, err := wait(tid, &ws, unix.WALL|unix.WNOTHREAD|flags)
	if err != nil || tid == 0 || ws.Stopped() {
		return tid, ws, err
	}
	if t := d.forget(tid); t == nil {
		d.early[tid] = true // killed before its first stop
	} else if t.space.users == 0 && !t.space.checked {
		d.res.Missed++
	}
	if tid == d.root {
		d.res.Exit = ws.ExitStatus()
		if ws.Signaled() {
			d.res.Exit = 128 + int(ws.Signal())
		}
		d.cap.Reset(lingering)
	}
	return tid, ws, nil
}

// stopped handles one stop and lets the task go on.
func (d *driver) stopped(tid int, ws unix.WaitStatus) {
	if d.tasks[tid] == nil {
		d.adopt(tid)
	}
	sig := ws.StopSignal()
	switch event := int(uint32(ws) >> 16); event {
	case 0:
		resume(tid, uintptr(sig)) // a signal on its way
		return
	case unix.PTRACE_EVENT_STOP:
		if sig != unix.SIGTRAP { // a group stop: stay until SIGCONT
			ptrace(unix.PTRACE_LISTEN, tid, 0)
			return
		}
	case unix.PTRACE_EVENT_EXEC:
		d.replaced(tid)
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		d.told(tid)
	case unix.PTRACE_EVENT_EXIT:
		d.exits(tid)
	}
	resume(tid, 0)
}

// resume lets a task run. It may be gone: anything can be killed at any time.
func resume(tid int, sig uintptr) { ptrace(unix.PTRACE_CONT, tid, sig) }

// replaced handles execve: the task has the leader's id now, whoever it was.
func (d *driver) replaced(pid int) {
	old, err := unix.PtraceGetEventMsg(pid)
	d.mu.Lock()
	if err == nil {
		d.forget(int(old))
	}
	d.forget(pid)
	d.put(pid, &task{tgid: pid, space: new(space)})
	d.mu.Unlock()
	d.exec(pid)
}

func (d *driver) exec(pid int) {
	d.res.Execs++
	if pid == d.root && d.res.Execs == 1 {
		d.res.Processes, d.res.Threads = 1, 1
	}
	if d.hooks.Exec != nil {
		d.hooks.Exec(pid)
	}
}

// told handles a task's word of its new child, which may have been met before, and
// even be gone.
func (d *driver) told(parent int) {
	msg, err := unix.PtraceGetEventMsg(parent)
	if err != nil {
		return // it was killed; the child will be adopted
	}
	child := int(msg)
	if d.early[child] {
		delete(d.early, child)
		return
	}
	d.forked(parent, child)
}

// adopt handles a new task that stopped before its parent told of it, which a
// killed parent never does.
func (d *driver) adopt(child int) {
	d.early[child] = true
	parent := statusField(child, "PPid")
	// The leader of the group may be a zombie: any other task will do.
	for tid, t := range d.tasks {
		if t.tgid == parent && sameVM(tid, child) {
			parent = tid
			break
		}
	}
	d.forked(parent, child)
}

// forked handles a new task: by the event of its parent or its own first stop,
// whichever comes first. It has not run yet, nor has the call in its parent
// returned.
func (d *driver) forked(parent, child int) {
	t := &task{tgid: statusField(child, "Tgid"), space: new(space)}
	d.res.Threads++
	if t.tgid != child {
		// The leader stays until the last of its threads is reaped.
		if leader := d.tasks[t.tgid]; leader != nil {
			t.space = leader.space
		}
		d.add(child, t)
		return
	}
	shares := false
	if p := d.tasks[parent]; p != nil {
		if sameVM(parent, child) {
			shares, t.space = true, p.space
		}
		parent = p.tgid
	}
	d.add(child, t)
	d.res.Processes++
	if d.hooks.Fork != nil {
		d.hooks.Fork(parent, child, shares)
	}
}

// exits calls the hook if nothing else can change the task's space, as far as that can
// be told with little effort.
func (d *driver) exits(tid int) {
	t := d.tasks[tid]
	delete(t.space.running, tid)
	if len(t.space.running) > maxRunning {
		return
	}
	for o := range t.space.running {
		if !rests(o) {
			return
		}
	}
	d.res.Quiet++
	t.space.checked = true
	if d.hooks.Quiet == nil {
		return
	}
	if err := d.hooks.Quiet(t.tgid, tid); err != nil {
		d.res.Bad = append(d.res.Bad, err)
	}
}

// rests reports whether a task is stopped or gone: in state t, T, Z or X. A
// stopped tracee runs only if this thread lets it, but for SIGKILL, after which
// it changes no map.
func rests(tid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/stat")
	if err != nil {
		return true
	}
	// The name, in parentheses, may hold anything.
	i := bytes.LastIndexByte(b, ')')
	if i < 0 || i+2 >= len(b) {
		return false
	}
	return bytes.IndexByte([]byte("tTZX"), b[i+2]) >= 0
}

// sameVM reports whether two tasks use one address space; a task that is gone
// uses none.
func sameVM(a, b int) bool {
	const kcmpVM = 1
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpVM, 0, 0, 0)
	return errno == 0 && r == 0
}

// statusField returns a number of /proc/TID/status, the tid itself if the task is
// gone.
func statusField(tid int, name string) int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return tid
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"+name+":"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil {
		return tid
	}
	return n
}
