package procfs

import (
	"unsafe"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

func rangeOf(b []byte) interval.Range {
	return interval.Of(uint64(uintptr(unsafe.Pointer(&b[0]))), uint64(len(b)))
}
