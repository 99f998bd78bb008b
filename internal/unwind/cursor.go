package unwind

import "encoding/binary"

// A cursor reads b from p on. After the first read beyond the end it reads
// zeros and bad stays set.
type cursor struct {
	b   []byte
	p   int
	bad bool
}

// take returns the next n bytes, or nil.
func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)-c.p) {
		c.bad = true
		return nil
	}
	c.p += int(n)
	return c.b[c.p-int(n) : c.p]
}

// more says whether there is something left to read.
func (c *cursor) more() bool { return !c.bad && c.p < len(c.b) }

func (c *cursor) u8() byte {
	if c.bad || c.p >= len(c.b) {
		c.bad = true
		return 0
	}
	c.p++
	return c.b[c.p-1]
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// uleb reads an unsigned LEB128 number; bits beyond 64 are dropped.
func (c *cursor) uleb() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			return v
		}
	}
}

// sleb reads a signed LEB128 number.
func (c *cursor) sleb() (v int64) {
	for shift := uint(0); ; {
		b := c.u8()
		v |= int64(b&0x7f) << shift
		shift += 7
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// Pointer encodings, LSB Core, section 10.5.1.
const (
	encFormat   = 0x0f
	encRelative = 0x70
	encPCRel    = 0x10
	encIndirect = 0x80
	encOmit     = 0xff
)

// pointer reads a pointer in encoding enc; base is the address of c.b[0]. It
// marks c bad if the encoding is not one that linkers use here.
func (c *cursor) pointer(enc byte, base uint64) uint64 {
	at := base + uint64(c.p)
	v := c.number(enc & encFormat)
	switch enc & encRelative {
	case 0:
	case encPCRel:
		v += at
	default:
		c.bad = true
	}
	if enc&encIndirect != 0 {
		c.bad = true
	}
	return v
}

// number reads a number in the format of a pointer encoding.
func (c *cursor) number(format byte) uint64 {
	switch format {
	case 0x00, 0x04, 0x0c:
		return c.u64()
	case 0x01:
		return c.uleb()
	case 0x02:
		return uint64(c.u16())
	case 0x03:
		return uint64(c.u32())
	case 0x09:
		return uint64(c.sleb())
	case 0x0a:
		return uint64(int64(int16(c.u16())))
	case 0x0b:
		return uint64(int64(int32(c.u32())))
	}
	c.bad = true
	return 0
}
