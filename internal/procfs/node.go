package procfs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
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
	types := make(map[uint64]string)
	br := bufio.NewReader(r) // options can be longer than a Scanner takes
	for n := 1; ; n++ {
		line, err := br.ReadString('\n')
		if line == "" && err == io.EOF {
			return types, nil
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		before, after, ok := strings.Cut(line, " - ")
		front, back := strings.Fields(before), strings.Fields(after)
		var major, minor uint64
		if !ok || len(front) < 3 || len(back) < 1 {
			return nil, fmt.Errorf("line %d: not a mount: %.80q", n, line)
		}
		if k, err := fmt.Sscanf(front[2], "%d:%d", &major, &minor); k != 2 {
			return nil, fmt.Errorf("line %d: not a device: %.80q: %w", n, front[2], err)
		}
		types[major<<32|minor] = back[0]
	}
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
