//go:build linux

package probe

import (
	"fmt"
	"unsafe"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// slotsRead is how many of the kernel side's slots are read at a time.
const slotsRead = 4096

// inflights calls f for each call that is changing a space now, by thread ID in
// the initial namespace. Nearly all are in slots, which are read as memory; what
// did not fit there is in a table.
func (p *Probe) inflights(id event.SpaceID, f func(tid uint32, call *bpfInflight)) error {
	var calls [slotsRead]bpfInflight
	buf := unsafe.Slice((*byte)(unsafe.Pointer(&calls)), unsafe.Sizeof(calls))
	for at := int64(0); at < int64(p.underWay.Size()); at += int64(len(buf)) {
		if _, err := p.underWay.ReadAt(buf, at); err != nil {
			return fmt.Errorf("reading the calls under way: %w", err)
		}
		for i := range calls {
			if c := &calls[i]; c.Tid != 0 && c.Kind != 0 && event.SpaceID(c.Space) == id {
				f(c.Tid, c)
			}
		}
	}
	var tid uint32
	var v bpfInflight
	it := p.programs.Maps["inflights"].Iterate()
	for it.Next(&tid, &v) {
		if v.Kind != 0 && event.SpaceID(v.Space) == id {
			f(tid, &v)
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("reading the calls under way: %w", err)
	}
	return nil
}
