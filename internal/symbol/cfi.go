package symbol

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"slices"
	"sort"

	"github.com/go-delve/delve/pkg/dwarf/frame"
)

// Limits on call frame information, in bytes.
const (
	maxCFIEntry = 64 << 10
	maxCFITable = 8 << 20 // of an .eh_frame that has no index
)

// errCFI means that there is no call frame information of a form that is read.
var errCFI = errors.New("no call frame information")

// A cfi finds the call frame information of an address. With an .eh_frame_hdr
// it reads the one entry that is asked for; without, it holds all.
type cfi struct {
	im    *image
	index frameIndex
	all   frame.FrameDescriptionEntries
}

// findCFI finds .eh_frame_hdr through PT_GNU_EH_FRAME, else .eh_frame by its
// section.
func (im *image) findCFI() (*cfi, error) {
	if !im.little() || im.Class != elf.ELFCLASS64 {
		return nil, errCFI
	}
	hdr, err := im.frameHeader()
	if err == nil && hdr.count > 0 {
		return &cfi{im: im, index: hdr.frameIndex}, nil
	}
	off, size, addr := uint64(0), uint64(0), uint64(0)
	if s := im.plain(".eh_frame"); s != nil {
		off, size, addr = s.Offset, s.FileSize, s.Addr
	} else if o, rest, ok := im.offset(hdr.frames); ok && err == nil {
		off, size, addr = o, rest, hdr.frames
	}
	if addr == 0 {
		return nil, errCFI
	}
	b, err := im.src.bytes(off, size, maxCFITable)
	if err != nil {
		return nil, err
	}
	all, err := parseFrames(upToTerminator(b), addr)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y *frame.FrameDescriptionEntry) int { return cmp.Compare(x.Begin(), y.Begin()) })
	return &cfi{im: im, all: all}, nil
}

// parseFrames parses .eh_frame data that lies at addr.
func parseFrames(b []byte, addr uint64) (all frame.FrameDescriptionEntries, err error) {
	err = guard(func() (err error) {
		all, err = frame.Parse(b, binary.LittleEndian, 0, 8, addr)
		return err
	})
	return all, err
}

// upToTerminator cuts b before the entry of length zero that ends .eh_frame,
// and before an entry that b does not hold whole.
func upToTerminator(b []byte) []byte {
	at := uint64(0)
	for at+8 <= uint64(len(b)) {
		n := uint64(binary.LittleEndian.Uint32(b[at:]))
		if n < 4 || n > uint64(len(b))-at-4 {
			break
		}
		at += 4 + n
	}
	return b[:at]
}

// entry returns the entry that covers addr.
func (c *cfi) entry(addr uint64) (*frame.FrameDescriptionEntry, bool) {
	if c == nil {
		return nil, false
	}
	all := c.all
	if c.index.count > 0 {
		at, ok := c.index.find(c.im, addr)
		if !ok {
			return nil, false
		}
		all = c.im.frameAt(at)
	}
	i := sort.Search(len(all), func(i int) bool { return all[i].Begin() > addr }) - 1
	if i < 0 || !all[i].Cover(addr) {
		return nil, false
	}
	return all[i], true
}

// frameAt parses the one entry at address at. The entry's own pointer leads
// to what it has in common with others; the two are parsed as if they were the
// whole section, placed so that the entry keeps its address.
func (im *image) frameAt(at uint64) frame.FrameDescriptionEntries {
	off, _, ok := im.offset(at)
	if !ok {
		return nil
	}
	own := im.frameBytes(off)
	if len(own) < 8 {
		return nil
	}
	back := uint64(binary.LittleEndian.Uint32(own[4:]))
	if back == 0 || back > off+4 {
		return nil
	}
	common := im.frameBytes(off + 4 - back)
	if len(common) < 8 || uint64(len(common)) >= at {
		return nil
	}
	b := append(bytes.Clone(common), own...)
	binary.LittleEndian.PutUint32(b[len(common)+4:], uint32(len(common)+4))
	all, err := parseFrames(b, at-uint64(len(common)))
	if err != nil {
		return nil
	}
	return all
}

// frameBytes returns the entry of .eh_frame at file offset off, its length
// included, or nil.
func (im *image) frameBytes(off uint64) []byte {
	p := im.peek()
	n := uint64(p.u32(off))
	if p.err != nil || n < 4 {
		return nil
	}
	b, err := im.src.bytes(off, n+4, maxCFIEntry)
	if err != nil {
		return nil
	}
	return b
}
