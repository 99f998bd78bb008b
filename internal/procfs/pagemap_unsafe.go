//go:build linux

package procfs

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// The PAGEMAP_SCAN ioctl (include/uapi/linux/fs.h).
const (
	pagemapScan = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)

	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5
	pageIsHuge    = 1 << 6
	pageIsGuard   = 1 << 8 // Linux 6.16
)

// scanArg is struct pm_scan_arg. Its pointer is one for Go, too: what it points to
// may lie on a stack that moves.
type scanArg struct {
	size, flags, start, end, walkEnd uint64
	vec                              unsafe.Pointer
	_                                [8 - unsafe.Sizeof(uintptr(0))]byte
	vecLen, maxPages                 uint64
	inverted, mask, anyOf, ret       uint64
}

// pageRegion is struct page_region.
type pageRegion struct{ start, end, categories uint64 }

// scanPages bounds the pages that one call finds, and so its time where r is
// full; where it is empty, the length of r does.
const scanPages = 16384

// ioctl finds the pages of a part of r, from its start, with one call of
// PAGEMAP_SCAN, and returns where the part ends.
func (s *scanner) ioctl(r interval.Range) (reached uint64, err error) {
	var vec [1024]pageRegion
	arg := scanArg{
		start: r.Start, end: r.End, maxPages: scanPages,
		vec: unsafe.Pointer(&vec[0]), vecLen: uint64(len(vec)),
		anyOf: pageIsPresent | pageIsSwapped,
		ret:   pageIsFile | pageIsPresent | pageIsSwapped | pageIsZero | pageIsHuge | pageIsGuard,
	}
	if s.noGuard {
		arg.ret &^= pageIsGuard
	}
	arg.size = uint64(unsafe.Sizeof(arg))
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, s.f.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg)))
	if errno == unix.EINVAL && !s.noGuard {
		s.noGuard = true
		return s.ioctl(r)
	}
	if errno != 0 {
		return r.Start, errno
	}
	// Where the walk ends by itself after more than 512 finds, the kernel says where
	// its buffer was last emptied, not where the walk ended (do_pagemap_scan of
	// fs/proc/task_mmu.c). What it found lies beyond.
	reached = arg.walkEnd
	for _, v := range vec[:n] {
		s.found = append(s.found, extentOf(v))
		reached = max(reached, v.end)
	}
	if reached <= r.Start { // no progress: there is nothing
		reached = r.End
	}
	return reached, nil
}

func extentOf(v pageRegion) extent {
	is := func(category uint64) bool { return v.categories&category != 0 }
	return extent{
		Range:   interval.Range{Start: v.start, End: v.end},
		present: is(pageIsPresent) && !is(pageIsZero),
		anon:    !is(pageIsFile),
		swapped: is(pageIsSwapped) && !is(pageIsGuard),
		huge:    is(pageIsHuge),
	}
}

// addressOf returns where b begins in the memory of this process.
func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
