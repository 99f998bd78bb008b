package procfs

import (
	"io"
)

// A Node is what a file is, whatever its name.
type Node struct {
	Dev, Inode uint64 // device as major<<32 | minor
	// Size is the length in bytes, Allocated what of it takes space.
	Size, Allocated uint64
	Links           uint32 // names; 0: it was deleted
	UID, Mode       uint32 // owner and permissions
	Regular         bool
	// Created and Changed are seconds since 1970: when it was made, 0 if the file
	// system does not tell, and when its contents were last written to.
	Created, Changed int64
}

// A Descriptor is an open file of a process. Path is the kernel's, with
// " (deleted)" behind it if the file has no name any more.
type Descriptor struct {
	FD   uint32
	Path string
	Node
}

// ParseMountTypes reads a /proc/PID/mountinfo file and returns the types of file
// systems by device (major<<32 | minor). A line that is no mount is an error.
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
func ParseMountTypes(r io.Reader) (map[uint64]string, error) {
	mounts, err := ParseMounts(r)
	if err != nil {
		return nil, err
	}
	types := make(map[uint64]string)
	for _, m := range mounts {
		types[m.Dev] = m.Type
	}
	return types, nil
}

// InMemory reports whether files of a file system of this type lie in memory or
// swap, and nowhere else.
func InMemory(fstype string) bool {
	switch fstype {
	case "tmpfs", "devtmpfs", "ramfs", "hugetlbfs":
		return true
	}
	return false
}
