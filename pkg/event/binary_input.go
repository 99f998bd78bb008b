package event

import "encoding/binary"

// An input is what is left of the bytes. Once it is bad, it gives zeros.
type input struct {
	rest []byte
	bad  bool
}

func (in *input) byte() byte {
	if len(in.rest) == 0 {
		in.bad = true
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

func (in *input) uvarint() uint64 {
	if len(in.rest) > 0 && in.rest[0] < 0x80 {
		v := in.rest[0]
		in.rest = in.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(in.rest)
	if n <= 0 {
		in.bad, in.rest = true, nil
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *input) varint() int64 {
	u := in.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// upTo reads a number of at most max.
func (in *input) upTo(max uint64) uint64 {
	v := in.uvarint()
	if v > max {
		in.bad = true
		return 0
	}
	return v
}

// narrow reads a number of 32 bits.
func (in *input) narrow() uint32 { return uint32(in.upTo(1<<32 - 1)) }

func (in *input) fixed64() uint64 {
	b := in.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// count reads a number of things that take at least size bytes each.
func (in *input) count(size int) int {
	return int(in.upTo(uint64(len(in.rest) / size)))
}

// take returns the next n bytes, or nil.
func (in *input) take(n int) []byte {
	if n > len(in.rest) {
		in.bad, in.rest = true, nil
		return nil
	}
	b := in.rest[:n]
	in.rest = in.rest[n:]
	return b
}
