//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setCapsOfAll gives every thread of the process the same capabilities.
func setCapsOfAll(s *capSets) error {
	h := capHeader()
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(h)), uintptr(unsafe.Pointer(&s[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
