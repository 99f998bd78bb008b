// Package event holds the records of a trace: what the kernel reported of one
// change of an address space, and what user space read beside it. Events are
// plain values with a binary form (a recording) and a text form (a trace that
// people read and write).
package event

import (
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A Time is a CLOCK_MONOTONIC reading in nanoseconds.
type Time int64

// A PID is a thread-group ID, what user space calls a process ID.
type PID uint32

// A TID is a thread ID.
type TID uint32

// A SpaceID names an address space. It is unique within a trace and never
// reused; the kernel's mm_struct has no name of its own.
type SpaceID uint32

// NoSpace means that an event belongs to no address space.
const NoSpace SpaceID = 0

// A Mark is a set of flags on an Event.
type Mark uint16

const (
	// Compat: the call came through the 32-bit entry (int 0x80 and the like).
	Compat Mark = 1 << iota
	// Died: the thread ended inside the call; there is no result.
	Died
	// Second: the write lock was taken more than once in one call, which no
	// known call does; the effect must be read from the kernel.
	Second
	// Stale: the call's end was never seen (a missed hook); only its place in
	// the order is known.
	Stale
	// Unordered: the call changed the map but its place in the order was not
	// seen (a missed hook).
	Unordered
	// NoStack: the stack could not be captured.
	NoStack
	// Huge: Aux holds the page size in bytes of a huge-page mapping.
	Huge
	// Unreadable: a snapshot could not be read; it holds no regions.
	Unreadable
	// File: the new mapping has a file behind it, or the descriptor is of one that
	// may be mapped.
	File
	// Late: the event came after its place in the order was given up.
	Late
	// Lift: an Other that is the begin of an mremap, which has two places in the
	// order where calls are not ordered by the lock. From Args[1] on, Args[2] bytes
	// leave their place; the Mremap that follows of the same thread says where to.
	Lift
	// Assumed: Stack was not walked but taken from the call before at the same
	// place, to save time.
	Assumed
	// More: a further range of the call that the event before is of.
	More
)

// An Event is one record of a trace. Which fields are set depends on Kind.
type Event struct {
	Kind  Kind
	Marks Mark
	Space SpaceID
	// Seq is the event's place in the total order of changes of its address
	// space, from 1. 0: the call changed nothing, or its place was not seen.
	Seq uint64
	// After is, for an event without Seq, the newest Seq of the space when the
	// call returned.
	After uint64
	// Time is when the call returned.
	Time Time
	// TotalVM is the number of pages that the kernel counted in the space just
	// before the change; only with Seq. 0: it was not told.
	TotalVM uint64
	// Brk is the program break just before the change; only with Seq.
	Brk uint64
	PID PID // in the tracer's pid namespace where it is known, else the initial one
	TID TID
	// Args are the system call's arguments as the kernel took them, brought to
	// the form of the native call: bytes, never pages.
	Args [6]uint64
	// Ret is the call's result, negative errno on failure.
	Ret int64
	// Aux is the length in bytes of a mapping whose call does not tell it
	// (shmat, io_setup), the page size with the mark Huge, or what a Madvise leaves
	// out.
	Aux uint64
	// Stack names the call stack.
	Stack stack.ID
	// Lost counts the records of this space that the kernel side could not hand
	// over, up to this event.
	Lost uint64

	// Parent and ParentSeq: for Fork, the space that was copied and the place in
	// its order at which that happened.
	Parent    SpaceID
	ParentSeq uint64
	// Name: for Exec and Fork, the task's comm; for Process, too.
	Name string

	// Frames: for StackDef, the addresses of Stack, leaf first, return
	// addresses as they are on the stack.
	Frames []uint64

	// From and To: for Snapshot, the newest Seq before and after the reading.
	From, To uint64
	// Regions: for Snapshot, the kernel's map in address order.
	Regions []Region

	// Copy: for StackCopy.
	Copy *Copy
	// Code: for NewCode.
	Code *Code
}

// A FileID tells a file, and what it holds, from every other: an inode number is
// given again once a file is gone.
type FileID struct {
	Dev      uint64 // major<<32 | minor
	Inode    uint64
	Size     uint64 // in bytes
	Modified int64  // when it was last written to, in ns since 1970
}

// A Code is a mapping of code and its file.
type Code struct {
	interval.Range
	Page uint64 // of the file, at Start
	File FileID // Dev is that of the file system, as in /proc/PID/maps and mountinfo
	// Name is the file's path from the root of its file system on, which need not be
	// mounted as a whole; "" if it was not told.
	Name string
}

// A Copy is the state of a walk that could not go on, and the stack from there.
type Copy struct {
	PC, SP, FP, LR uint64
	// Call: PC is behind the instruction that is being executed. Fresh: the
	// registers are those of the machine, not recovered from the stack.
	Call, Fresh bool
	// Blind: SP is only known to be no lower.
	Blind bool
	Data  []byte // from unwind.SnapshotBase(SP) on
}

// A Region is one line of the kernel's map of an address space.
type Region struct {
	interval.Range
	Prot   Prot
	Shared bool
	Offset uint64 // in bytes
	Dev    uint64 // major<<32 | minor
	Inode  uint64
	Path   string // as the kernel prints it, unescaped; "[heap]", "[stack]", ... for its own
}

// Prot is a set of page protections, as in mmap(2).
type Prot uint8

// Page protections.
const (
	ProtRead  Prot = 1
	ProtWrite Prot = 2
	ProtExec  Prot = 4
)

// Flags of mmap(2) that change what a call does to the map.
const (
	MapShared     = 0x01
	MapPrivate    = 0x02
	MapFixed      = 0x10
	MapAnonymous  = 0x20
	MapGrowsDown  = 0x100
	MapNoReserve  = 0x4000
	MapStack      = 0x20000
	MapHugeTLB    = 0x40000
	MapFixedNoRep = 0x100000

	RemapMayMove   = 1
	RemapFixed     = 2
	RemapDontUnmap = 4

	ShmRemap = 0o40000

	ipcCreate    = 0o1000
	ipcExclusive = 0o2000
	shmHuge      = 0o4000
)
