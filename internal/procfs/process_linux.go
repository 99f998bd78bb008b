package procfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Process is one process, pinned: all reads go through a pidfd and an open
// /proc/PID directory, which fail once the process is gone and never show
// another one with the same pid. Its methods may be called from several
// goroutines, Close only when none is running.
type Process struct {
	pid   event.PID
	pidfd int
	dir   int // /proc/PID
	stat  Stat
	class byte // of the program, as in e_ident[EI_CLASS]; 0 if unreadable
}

// Open pins the process pid, an id in the caller's pid namespace. Its errors
// match ErrNoProcess, ErrZombie, ErrKernelThread, *ErrThread, or, if the map of
// the address space may not be read, fs.ErrPermission. A process whose first
// thread has ended but others have not is no zombie.
func Open(pid event.PID) (*Process, error) {
	p, err := open(pid)
	if err != nil {
		return nil, fmt.Errorf("opening process %d: %w", pid, err)
	}
	return p, nil
}

func open(pid event.PID) (*Process, error) {
	fd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return nil, whyNoPidfd(pid, err)
	}
	p := &Process{pid: pid, pidfd: fd, dir: -1}
	if err := p.pin(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// whyNoPidfd explains an error of pidfd_open: a thread's id gives EINVAL, since
// Linux 6.15 ENOENT.
func whyNoPidfd(pid event.PID, err error) error {
	if errors.Is(err, unix.ESRCH) || pid == 0 || int32(pid) < 0 {
		return ErrNoProcess
	}
	text, rerr := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if rerr != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	s, perr := ParseStatus(text)
	if perr != nil || s.Tgid == pid {
		return os.NewSyscallError("pidfd_open", err)
	}
	comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", s.Tgid))
	return &ErrThread{TID: event.TID(pid), TGID: s.Tgid, Comm: trimComm(comm)}
}

// pin opens the directory that belongs to p.pidfd and checks that the process
// has an address space that may be read.
func (p *Process) pin() (err error) {
	name, err := procName(p.pidfd)
	if err != nil {
		return err
	}
	p.dir, err = unix.Open("/proc/"+name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) && p.Alive() {
		err = unix.EACCES // /proc is mounted with hidepid
	} else if errors.Is(err, unix.ENOENT) {
		return ErrNoProcess
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: "/proc/" + name, Err: err}
	}
	if p.stat, err = p.readStat("stat"); err != nil {
		return err
	}
	switch {
	case p.stat.Kernel():
		return ErrKernelThread
	case !p.Alive(): // also when name was reused between the two opens
		return p.whyNotAlive()
	}
	f, err := p.openTask("maps")
	if err != nil {
		return err
	}
	p.class = p.readClass()
	return f.Close()
}

func (p *Process) whyNotAlive() error {
	if p.stat.Ended() {
		return ErrZombie
	}
	return ErrNoProcess
}

// procName returns the name in /proc of the process behind pidfd. It differs
// from the pid if /proc was mounted in another pid namespace.
func procName(pidfd int) (string, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "Pid:"); ok {
			v = strings.TrimSpace(v)
			if v == "0" || v == "-1" { // not in this /proc; gone
				return "", ErrNoProcess
			}
			return v, nil
		}
	}
	return "", fmt.Errorf("no Pid in fdinfo: %.80q", text)
}

// Close gives up the process. It does nothing to the process itself.
func (p *Process) Close() error {
	err := unix.Close(p.pidfd)
	if p.dir >= 0 {
		err = errors.Join(err, unix.Close(p.dir))
	}
	return err
}

// PID returns the id that the process was opened by.
func (p *Process) PID() event.PID { return p.pid }

// Pidfd returns a pidfd of the process. It is p's, and closed by Close.
func (p *Process) Pidfd() int { return p.pidfd }

// StartTicks returns when the process started, in clock ticks since boot.
func (p *Process) StartTicks() uint64 { return p.stat.StartTicks }

// Is32 reports whether the process runs a 32-bit program, or did when that could
// last be read. It is false too if it never could.
func (p *Process) Is32() bool {
	if c := p.readClass(); c != 0 {
		return c == elfClass32
	}
	return p.class == elfClass32
}

// Alive reports whether a thread of the process is left.
func (p *Process) Alive() bool {
	n, err := poll([]unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}, 0)
	return err == nil && n == 0
}

// Wait returns nil when the last thread of the process has ended, or the cause
// when ctx is done before.
func (p *Process) Wait(ctx context.Context) error {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("waiting for process %d: %w", p.pid, err)
	}
	defer unix.Close(wake)
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		close(woken)
	})
	fds := []unix.PollFd{
		{Fd: int32(p.pidfd), Events: unix.POLLIN},
		{Fd: int32(wake), Events: unix.POLLIN},
	}
	_, err = poll(fds, -1)
	if !stop() {
		<-woken // wake is written to until then
	}
	switch {
	case err != nil:
		return fmt.Errorf("waiting for process %d: %w", p.pid, err)
	case fds[0].Revents != 0:
		return nil
	}
	return context.Cause(ctx)
}

func poll(fds []unix.PollFd, timeout int) (int, error) {
	for {
		n, err := unix.Poll(fds, timeout)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// open opens a file of /proc/PID.
func (p *Process) open(name string) (*os.File, error) {
	fd, err := unix.Openat(p.dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, p.wrap(name, err)
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("/proc/%d/%s", p.pid, name)), nil
}

// read returns the text of a file of /proc/PID.
func (p *Process) read(name string) ([]byte, error) {
	f, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, p.wrap(name, err)
	}
	return text, nil
}

// wrap names the file that err is about. A file of a process that is gone gives
// ESRCH, and ENOENT while it is just going.
func (p *Process) wrap(name string, err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) && !p.Alive() {
		err = ErrNoProcess
	}
	return fmt.Errorf("reading %s of process %d: %w", name, p.pid, err)
}

func trimComm(text []byte) string { return string(bytes.TrimSuffix(text, []byte("\n"))) }
