// Package procfs reads what /proc tells of processes and of the machine. The
// parsers take an io.Reader or bytes and run anywhere; a Process pins one
// process, so that a reused pid is never read by accident.
package procfs

import (
	"errors"
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// Why a process cannot be opened. Lack of permission is fs.ErrPermission.
var (
	ErrNoProcess    = errors.New("no such process")
	ErrZombie       = errors.New("it has exited and only waits for its parent to collect its status")
	ErrKernelThread = errors.New("it is a kernel thread and has no address space")
	ErrNotSupported = errors.New("not supported on this system")
	ErrNoFile       = errors.New("no readable file behind the region")
)

// An ErrThread says that a number names a thread, not a process.
type ErrThread struct {
	TID  event.TID
	TGID event.PID // the process that the thread belongs to
	Comm string    // the process's name, "" if unknown
}

func (e *ErrThread) Error() string {
	return fmt.Sprintf("it is a thread of process %d (%q)", e.TGID, e.Comm)
}

// An Entry is one process in a listing.
type Entry struct {
	PID    event.PID
	Parent event.PID
	Comm   string
}

// A Host is what the machine tells about itself.
type Host struct {
	Name, Kernel, Arch string // as uname(2) has them: nodename, release, machine
	CPUs               int    // configured and online
	PageSize           uint64 // bytes
	MaxMapCount        uint64 // vm.max_map_count; 0 if it could not be read
	Overcommit         string // vm.overcommit_memory; "" if it could not be read
	Memory, Swap       uint64 // bytes; 0 if they could not be read
	BootUnix           int64  // seconds since 1970; 0 if it could not be read
}
