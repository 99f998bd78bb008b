//go:build linux

package session

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// swap calls swapon(2) or swapoff(2).
func swap(call uintptr, path *byte) error {
	if _, _, errno := unix.Syscall(call, uintptr(unsafe.Pointer(path)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}
