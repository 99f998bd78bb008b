package symbol

import (
	"debug/elf"
	"sort"
)

// Pointer encodings of .eh_frame_hdr, LSB Core, section 10.5.
const (
	encUdata4  = 0x03
	encDataRel = 0x3b // signed, 4 bytes, relative to the header
	encOmit    = 0xff
)

// A frameHeader is what .eh_frame_hdr says.
type frameHeader struct {
	frames uint64 // address of .eh_frame
	frameIndex
}

// A frameIndex is the sorted table of .eh_frame_hdr: pairs of signed 32-bit
// distances from the header, of a function's start and of its entry. count is
// zero if there is no such table.
type frameIndex struct {
	addr  uint64 // of the header
	table uint64 // file offset of the first pair
	count uint64
}

// frameHeader reads the header that PT_GNU_EH_FRAME leads to.
func (im *image) frameHeader() (frameHeader, error) {
	for _, p := range im.Progs {
		if p.Type == elf.PT_GNU_EH_FRAME {
			return im.readFrameHeader(p.Off, p.Vaddr, p.Filesz)
		}
	}
	return frameHeader{}, errCFI
}

func (im *image) readFrameHeader(off, addr, size uint64) (frameHeader, error) {
	p := im.peek()
	version, enc := p.word(off, 1), p.word(off+1, 1)
	countEnc, tableEnc := p.word(off+2, 1), p.word(off+3, 1)
	n := encodedSize(enc)
	if p.err != nil || version != 1 || n == 0 {
		return frameHeader{}, errCFI
	}
	h := frameHeader{frames: p.word(off+4, n)}
	if enc&0x08 != 0 && n < 8 {
		h.frames = uint64(int64(h.frames<<(64-8*n)) >> (64 - 8*n))
	}
	switch enc & 0x70 {
	case 0x10:
		h.frames += addr + 4
	case 0x30:
		h.frames += addr
	}
	if countEnc == encUdata4 && tableEnc == encDataRel {
		at := uint64(4 + n)
		h.count = uint64(p.u32(off + at))
		h.addr, h.table = addr, off+at+4
		if size < at+4 || h.count > (size-at-4)/8 {
			h.count = 0
		}
	}
	return h, p.err
}

// encodedSize returns the size in bytes of a pointer in encoding enc, 0 if it
// has none or is of a form that linkers do not write here.
func encodedSize(enc uint64) int {
	if enc == encOmit || enc&0x80 != 0 {
		return 0
	}
	switch enc & 0x07 {
	case 0x02:
		return 2
	case 0x03:
		return 4
	case 0x00, 0x04:
		return 8
	}
	return 0
}

// find returns the address of the entry whose function is the last to begin at
// or before addr.
func (x frameIndex) find(im *image, addr uint64) (uint64, bool) {
	p := im.peek()
	at := func(i, field int) uint64 {
		return x.addr + uint64(int64(int32(p.u32(x.table+uint64(8*i+4*field)))))
	}
	i := sort.Search(int(x.count), func(i int) bool { return at(i, 0) > addr }) - 1
	if i < 0 {
		return 0, false
	}
	return at(i, 1), p.err == nil
}
