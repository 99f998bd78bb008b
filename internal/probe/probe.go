// Package probe loads the kernel side of mmtrace, hands targets over to it and
// reads its records.
package probe

import (
	"errors"

	"github.com/mmtrace/mmtrace/pkg/event"
)

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target bpfel -no-global-types -type record -type stack_record -type space -type process -type found -type target -type counter -type process_flag -type stack_copy -type code_record -type rule -type inflight -type thrift bpf ../../bpf/mmtrace.bpf.c -- -O2 -mcpu=v3 -Wall -Werror

// Errors of Open and of a Probe's methods.
var (
	ErrNotSupported = errors.New("not supported")
	// ErrNoSpace means that an address space is not traced, or not any more.
	ErrNoSpace = errors.New("no such address space")
	// ErrFull means that a table of the kernel side has no room.
	ErrFull = errors.New("no room")
	// ErrTimeout means that no record came in time.
	ErrTimeout = errors.New("no record in time")
	// ErrClosed means that the probe has been closed.
	ErrClosed = errors.New("probe closed")
)

// Options say how to load the kernel side.
type Options struct {
	// RingBytes is the size of the ring buffer: a power of two and a multiple of
	// the page size; 0 means DefaultRing.
	RingBytes int
	// PIDNamespace is the inode number of the pid namespace whose IDs records of
	// births and executions carry; 0 means the initial one.
	PIDNamespace uint32
	// Order says by what changes are put in order.
	Order Order
	// Timed has the kernel side measure its own time, and lets SetThrift work.
	Timed bool
	// CheckReplays walks every stack, also where a walk of before tells it, and
	// counts those that differ. It is for tests.
	CheckReplays bool
	// plain leaves out the programs whose hooks are typed where there are others
	// for the same hooks, as on a kernel without these types. It is for tests.
	plain bool
}

// A Thrift is what the kernel side leaves out to save the target time. Each leaves
// out what those before it do.
type Thrift uint32

const (
	ThriftNone Thrift = iota
	// ThriftUnmaps: no call stacks of munmap, nor of calls that open files.
	ThriftUnmaps
	// ThriftHot: a call at a place whose stack was walked often, always with the
	// same result, is assumed to have that stack again, with event.Assumed.
	ThriftHot
)

// DefaultRing is the size of the ring buffer in bytes.
const DefaultRing = 64 << 20

// A Target is a process to be traced.
type Target struct {
	Pidfd  int
	Cookie uint32 // unique among the targets; comes back in Found
	Follow bool   // trace children, too
	// StopAtExec stops the process with SIGSTOP when it next calls execve.
	StopAtExec bool
}

// A Found is a target that the kernel side has taken over.
type Found struct {
	Cookie uint32
	// Initial is the process's ID in the initial pid namespace.
	Initial event.PID
	Space   event.SpaceID
}

// A State is where an address space stands.
type State struct {
	Seq         uint64 // number of the newest change
	Lost        uint64 // records that did not fit in the ring
	CodeChanges uint32 // times that executable memory was mapped
}

// Counters are what the kernel side counted since it was loaded.
type Counters struct {
	Events, Stacks uint64 // handed over
	Lost           uint64 // records that did not fit in the ring
	Copies         uint64 // of Stacks, those that came with a copy to be finished
	StacksLost     uint64 // stacks that did not fit; they are sent again
	MapFull        uint64 // entries that did not fit in a map
	Second         uint64 // calls that took the lock twice
	Spent          uint64 // ns in programs, of calls of traced spaces; only if Timed
	Unstacked      uint64 // munmaps whose stacks were left out by ThriftUnmaps
	Assumed        uint64 // stacks assumed by ThriftHot
	Checked        uint64 // stacks that could have been assumed and were walked
	Differed       uint64 // of these, those that would have been assumed wrongly
	Missed         uint64 // runs of a program that the kernel skipped
	RunTime        uint64 // of all programs in ns, while bpf statistics are on
	Runs           uint64 // of all programs, likewise
	Replays        uint64 // stacks that a walk of before told, with Options.CheckReplays
	ReplaysWrong   uint64 // of Replays, those that differed
}
