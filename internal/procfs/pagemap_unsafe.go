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
)

// scanArg is struct pm_scan_arg.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, ret                              uint64
}

// pageRegion is struct page_region.
type pageRegion struct{ start, end, categories uint64 }

// ioctl counts the pages of r with PAGEMAP_SCAN.
func (s *scanner) ioctl(r interval.Range, out *Resident) error {
	var vec [512]pageRegion
	for at := r.Start; at < r.End; {
		arg := scanArg{
			start: at, end: r.End, vec: uint64(uintptr(unsafe.Pointer(&vec[0]))), vecLen: uint64(len(vec)),
			anyOf: pageIsPresent | pageIsSwapped,
			ret:   pageIsFile | pageIsPresent | pageIsSwapped | pageIsZero | pageIsHuge,
		}
		arg.size = uint64(unsafe.Sizeof(arg))
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, s.f.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg)))
		if errno != 0 {
			return errno
		}
		for _, v := range vec[:n] {
			out.count(v.end-v.start, v.categories)
		}
		if arg.walkEnd <= at {
			return nil
		}
		at = arg.walkEnd
	}
	return nil
}

// count adds n bytes of pages of one kind.
func (r *Resident) count(n, categories uint64) {
	switch {
	case categories&pageIsZero != 0: // every process shares it
	case categories&pageIsPresent != 0:
		r.Present += n
		if categories&pageIsFile == 0 {
			r.Anon += n
		}
		if categories&pageIsHuge != 0 {
			r.Huge += n
		}
	case categories&pageIsSwapped != 0:
		r.Swapped += n
	}
}
