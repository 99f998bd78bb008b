package symbol

import "bytes"

// A cursor reads what DWARF is made of from b, one value after the other.
// After the first failure it reads zeros and bad stays set.
type cursor struct {
	b      []byte
	at     int
	little bool
	bad    bool
}

// left returns the number of bytes that have not been read.
func (c *cursor) left() int { return len(c.b) - c.at }

// take returns the next n bytes.
func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(c.left()) {
		c.bad = true
		return nil
	}
	s := c.b[c.at : c.at+int(n)]
	c.at += int(n)
	return s
}

// fixed returns the unsigned number in the next n bytes, at most 8.
func (c *cursor) fixed(n int) uint64 { return number(c.take(uint64(n)), c.little) }

// u8 returns the next byte.
func (c *cursor) u8() uint64 {
	if c.bad || c.at >= len(c.b) {
		c.bad = true
		return 0
	}
	c.at++
	return uint64(c.b[c.at-1])
}

// uleb returns the next number of variable length; bits beyond 64 are lost.
func (c *cursor) uleb() uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		v |= (b & 0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

// sleb is uleb for a signed number.
func (c *cursor) sleb() int64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		v |= (b & 0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if b&0x40 != 0 && shift+7 < 64 {
			v |= ^uint64(0) << (shift + 7)
		}
		return int64(v)
	}
}

// text returns the zero-terminated string that comes next.
func (c *cursor) text() string {
	if !c.bad {
		if n := bytes.IndexByte(c.b[c.at:], 0); n >= 0 {
			return string(c.take(uint64(n + 1))[:n])
		}
	}
	c.bad = true
	return ""
}

// length returns an initial length of DWARF and the size in bytes of offsets in
// what it is the length of, 4 or 8.
func (c *cursor) length() (n uint64, size int) {
	n = c.fixed(4)
	switch {
	case n == 0xffffffff:
		return c.fixed(8), 8
	case n >= 0xfffffff0:
		c.bad = true
	}
	return n, 4
}
