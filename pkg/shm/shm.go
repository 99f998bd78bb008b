// Package shm judges what is known of the shared memory of a machine: what nobody
// seems to use, and what stays in memory for no other reason than that a process
// holds it.
package shm

import "github.com/mmtrace/mmtrace/pkg/event"

// A Kind says what a piece of shared memory is.
type Kind string

const (
	// Posix is an object in /dev/shm that has a name (shm_open, sem_open).
	Posix Kind = "posix"
	// Memfd is memory of memfd_create, which has no name anywhere.
	Memfd Kind = "memfd"
	// Deleted is a file of a file system in memory whose name was removed.
	Deleted Kind = "deleted"
	// SysV is a segment of System V shared memory.
	SysV Kind = "sysv"
)

// A Segment is a segment of System V shared memory, as /proc/sysvipc/shm has it.
type Segment struct {
	ID  int32
	Key uint32 // 0 is IPC_PRIVATE
	// Size is what shmget was asked for; Resident and Swapped are what of it is in
	// memory and in swap. All are bytes.
	Size, Resident, Swapped uint64
	Attached                uint64 // attachments by all processes
	Mode                    uint32 // permissions
	Removed                 bool   // marked for removal, which comes with the last detachment
	// Creator made it, Last was the last to attach or detach it; 0 if that process
	// is in no pid namespace that can be seen.
	Creator, Last event.PID
	UID           uint32
	// Times in seconds since 1970, 0 for never: the last attachment, the last
	// detachment, and the last shmget or shmctl that changed it.
	AttachedAt, DetachedAt, ChangedAt int64
}

// A File is a file of a file system in memory.
type File struct {
	Kind Kind
	// Path is that of the file, or the name that memfd_create was given. The file
	// may have several; this is one.
	Path       string
	Dev, Inode uint64 // device as major<<32 | minor
	// Size is the length of the file, Allocated what of it takes memory or swap, in
	// bytes. Unknown says that neither could be read.
	Size, Allocated uint64
	Unknown         bool
	UID             uint32
	Mode            uint32 // permissions
	// Created and Changed are seconds since 1970: when it was made, 0 if the kernel
	// does not tell, and when it was last written to by a call or its size changed.
	Created, Changed int64
	Holders          []Holder
}

// A Holder is a process that uses a piece of shared memory.
type Holder struct {
	PID  event.PID
	Comm string
	// Mappings of it and Descriptors for it, and one of each.
	Mappings, Descriptors uint64
	Start, End            uint64
	Descriptor            uint32
}

// A Process is what is known of a process that did something earlier.
type Process struct {
	PID  event.PID
	Comm string // "" unless it lives
	// Known says that the pid could be seen at all; Alive that it still is the
	// process that is meant, not another by that number.
	Known, Alive bool
}

// An Attachable is a segment with who made it and who attaches it.
type Attachable struct {
	Segment
	Maker   Process
	Holders []Holder
}

// An Inventory is what was read of a machine.
type Inventory struct {
	Time     int64 // seconds since 1970
	Files    []File
	Segments []Attachable
	Users    map[uint32]string // names by UID
	Seen     Seen
}

// A Seen says what was looked at, and what could not be.
type Seen struct {
	// Processes were looked at; Denied were not, for lack of rights.
	Processes, Denied uint64
	// OtherIPC are the processes of other IPC namespaces, whose System V segments
	// are not listed; OtherShm those that have another /dev/shm.
	OtherIPC, OtherShm uint64
	// OwnPIDs says that this pid namespace is not the host's, Hidden that /proc
	// hides the processes of others: there may be processes that do not count.
	OwnPIDs, Hidden bool
	// Unfinished says that there was no time for all.
	Unfinished bool
	// Errors are sentences on what could not be read.
	Errors []string
}

// All reports whether every process could be looked at.
func (s *Seen) All() bool { return s.Denied == 0 && !s.OwnPIDs && !s.Hidden && !s.Unfinished }
