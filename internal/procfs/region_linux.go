package procfs

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// OpenRegion opens the file behind a region for reading. The kernel's own link
// (map_files, for which it wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE) finds
// even deleted files; without it the program and the region's path are tried,
// inside the process's root and then the caller's, and taken only if device and
// inode are those of the region. The error is ErrNoFile if there is none or it
// is not a regular file. The caller closes the file.
func (p *Process) OpenRegion(reg event.Region) (*os.File, error) {
	if reg.Inode == 0 || reg.Path == "" {
		return nil, fmt.Errorf("opening region %v of process %d: %w", reg.Range, p.pid, ErrNoFile)
	}
	if f := p.openRegular(fmt.Sprintf("map_files/%x-%x", reg.Start, reg.End), reg.Path); f != nil {
		return f, nil
	}
	if f := p.openRegular("exe", reg.Path); f != nil {
		if sameFile(f, reg) {
			return f, nil
		}
		f.Close()
	}
	if f := p.openByPath(reg); f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("opening %q of process %d: %w", reg.Path, p.pid, ErrNoFile)
}

// openRegular opens a link of /proc/PID if it leads to a regular file: opening
// a device could do something to it.
func (p *Process) openRegular(link, path string) *os.File {
	var st unix.Stat_t
	if unix.Fstatat(p.dir, link, &st, 0) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	fd, err := unix.Openat(p.dir, link, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), path)
}

func (p *Process) openByPath(reg event.Region) *os.File {
	if !strings.HasPrefix(reg.Path, "/") {
		return nil
	}
	root, err := unix.Openat(p.dir, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(root)
		if f := openIn(root, reg); f != nil {
			return f
		}
	}
	// The kernel prints paths as seen from the reader's root, so that those of a
	// process in a chroot begin with the chroot.
	own, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(own)
	return openIn(own, reg)
}

// openIn opens the region's path below root, following no link out of it.
func openIn(root int, reg event.Region) *os.File {
	fd, err := unix.Openat2(root, reg.Path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil
	}
	at := os.NewFile(uintptr(fd), reg.Path)
	defer at.Close()
	if !sameFile(at, reg) {
		return nil
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return nil
	}
	return f
}

// sameFile reports whether f is the regular file that the region maps.
func sameFile(f *os.File, reg event.Region) bool {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return false
	}
	dev := uint64(unix.Major(st.Dev))<<32 | uint64(unix.Minor(st.Dev))
	return st.Ino == reg.Inode && dev == reg.Dev
}
