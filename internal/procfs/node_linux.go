package procfs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// nodeMask is what of statx is asked for. Servers of network file systems are not
// asked (AT_STATX_DONT_SYNC): one that is gone would let us wait for ever.
const nodeMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

// nodeAt returns what a file is, following links if flags do not say otherwise.
func nodeAt(dir int, path string, flags int) (Node, error) {
	var st unix.Statx_t
	if err := unix.Statx(dir, path, flags|unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, nodeMask, &st); err != nil {
		return Node{}, err
	}
	n := Node{
		Dev: uint64(st.Dev_major)<<32 | uint64(st.Dev_minor), Inode: st.Ino, Size: st.Size,
		Allocated: st.Blocks * 512, Links: st.Nlink, UID: st.Uid, Mode: uint32(st.Mode) & 0o777,
		Regular: st.Mode&unix.S_IFMT == unix.S_IFREG, Changed: st.Mtime.Sec,
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		n.Created = st.Btime.Sec
	}
	return n, nil
}

// NodeOf returns what the file at path is, a symbolic link itself if it is one.
func NodeOf(path string) (Node, error) {
	n, err := nodeAt(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return Node{}, &os.PathError{Op: "statx", Path: path, Err: err}
	}
	return n, nil
}

// Node returns what a file of /proc/PID leads to, such as "root/dev/shm".
func (p *Process) Node(name string) (Node, error) {
	n, err := nodeAt(p.dir, name, 0)
	if err != nil {
		return Node{}, p.wrap(name, err)
	}
	return n, nil
}

// RegionNode returns what the file behind a region is, also of one that was
// deleted. The kernel wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE for it.
func (p *Process) RegionNode(r event.Region) (Node, error) {
	return p.Node(fmt.Sprintf("map_files/%x-%x", r.Start, r.End))
}

// Descriptors returns those open descriptors of the process that have a path, by
// number, of the first most ones and until the given time. left says that there may
// be more. What a descriptor is that is closed meanwhile is left out.
func (p *Process) Descriptors(most int, until time.Time) (list []Descriptor, left bool, err error) {
	fd, err := unix.Openat(p.dir, "fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, p.wrap("fd", err)
	}
	d := os.NewFile(uintptr(fd), fmt.Sprintf("/proc/%d/fd", p.pid))
	defer d.Close()
	const batch = 256
	for n := 0; ; {
		names, err := d.Readdirnames(batch)
		for _, name := range names {
			if n++; n > most {
				return list, true, nil
			}
			if x, ok := p.descriptor(name); ok {
				list = append(list, x)
			}
		}
		if len(names) == 0 || err != nil {
			return list, false, nil // the end; a process that is gone has none
		}
		if time.Now().After(until) {
			return list, true, nil
		}
	}
}

func (p *Process) descriptor(name string) (Descriptor, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return Descriptor{}, false
	}
	path, err := p.readlink("fd/" + name)
	if err != nil || !strings.HasPrefix(path, "/") { // a socket, a pipe
		return Descriptor{}, false
	}
	node, err := nodeAt(p.dir, "fd/"+name, 0)
	if err != nil {
		return Descriptor{}, false
	}
	return Descriptor{uint32(n), path, node}, true
}

// Filesystems returns the types of the file systems that the process has mounted,
// by device.
func (p *Process) Filesystems() (map[uint64]string, error) {
	f, err := p.open("mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseMountTypes(f)
}
