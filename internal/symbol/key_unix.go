//go:build unix

package symbol

import (
	"os"
	"syscall"
)

// fileID returns the device and the inode of a file.
func fileID(fi os.FileInfo) (dev, inode uint64, ok bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return uint64(st.Dev), uint64(st.Ino), true
}

// openNonblock makes opening a FIFO return at once.
const openNonblock = syscall.O_NONBLOCK
