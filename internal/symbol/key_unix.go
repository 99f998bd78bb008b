//go:build unix

package symbol

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileID returns the device (major<<32 | minor) and the inode of a file.
func fileID(fi os.FileInfo) (dev, inode uint64, ok bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	dev = uint64(st.Dev)
	return uint64(unix.Major(dev))<<32 | uint64(unix.Minor(dev)), uint64(st.Ino), true
}

// openNonblock makes opening a FIFO return at once.
const openNonblock = syscall.O_NONBLOCK
