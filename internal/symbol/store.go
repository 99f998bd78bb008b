package symbol

import (
	"errors"
	"fmt"
	"io"
)

// errRange means that a file names bytes that it does not have.
var errRange = errors.New("beyond the end of the file")

// errSize means that a table is larger than this package reads.
var errSize = errors.New("too large")

// A store is the content of a module's file. Before detach it reads the file,
// afterwards only the pieces that were kept.
type store struct {
	r    io.ReaderAt
	size uint64
	kept []piece
}

// A piece is a part of a file that is held in memory.
type piece struct {
	off  uint64
	data []byte
}

// ReadAt reads from the file, or from the pieces of a detached store; a piece
// answers only what lies in it whole.
func (s *store) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || uint64(off) >= s.size {
		return 0, io.EOF
	}
	if s.r != nil {
		return s.r.ReadAt(p, off)
	}
	for _, k := range s.kept {
		if at := uint64(off); at >= k.off && at-k.off < uint64(len(k.data)) {
			n := copy(p, k.data[at-k.off:])
			if n < len(p) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return 0, io.EOF
}

// check says whether the n bytes at off lie in the file and are at most limit.
func (s *store) check(off, n, limit uint64) error {
	if off > s.size || n > s.size-off {
		return fmt.Errorf("%d bytes at %#x: %w", n, off, errRange)
	}
	if n > limit {
		return fmt.Errorf("%d bytes at %#x: %w", n, off, errSize)
	}
	return nil
}

// bytes returns a copy of the n bytes at off. It allocates nothing if they are
// more than limit or lie outside of the file.
func (s *store) bytes(off, n, limit uint64) ([]byte, error) {
	if err := s.check(off, n, limit); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(s, int64(off), int64(n)), b); err != nil {
		return nil, fmt.Errorf("reading %d bytes at %#x: %w", n, off, err)
	}
	return b, nil
}

// section returns a reader of the n bytes at off, clipped to the file.
func (s *store) section(off, n uint64) *io.SectionReader {
	off = min(off, s.size)
	return io.NewSectionReader(s, int64(off), int64(min(n, s.size-off)))
}

// text returns the zero-terminated string at off, of at most limit bytes; what
// is longer is no string.
func (s *store) text(off, limit uint64) (string, bool) {
	for n := uint64(128); ; n *= 8 {
		n = min(n, limit)
		b := make([]byte, n)
		got, err := s.ReadAt(b, int64(min(off, s.size)))
		for i, c := range b[:got] {
			if c == 0 {
				return string(b[:i]), true
			}
		}
		if err != nil || n == limit {
			return "", false
		}
	}
}

// keep holds the n bytes at off for the time after detach. What cannot be read
// or is more than limit is left out: it will read as the end of the file.
func (s *store) keep(off, n, limit uint64) {
	if b, err := s.bytes(off, n, limit); err == nil && n > 0 {
		s.kept = append(s.kept, piece{off, b})
	}
}

// detach ends the use of the file.
func (s *store) detach() { s.r = nil }

// A peek reads numbers here and there in a store. After the first failure it
// reads zeros and err stays set.
type peek struct {
	*store
	little bool
	err    error
}

// word returns the unsigned number of size bytes, 1 to 8, at off.
func (p *peek) word(off uint64, size int) uint64 {
	var b [8]byte
	if p.err != nil {
		return 0
	}
	if off > p.size || uint64(size) > p.size-off {
		p.err = fmt.Errorf("%d bytes at %#x: %w", size, off, errRange)
		return 0
	}
	if n, err := p.ReadAt(b[:size], int64(off)); n < size {
		p.err = fmt.Errorf("reading %d bytes at %#x: %w", size, off, err)
		return 0
	}
	return number(b[:size], p.little)
}

// u32 returns the 32-bit number at off.
func (p *peek) u32(off uint64) uint32 { return uint32(p.word(off, 4)) }

// number decodes b, which has at most 8 bytes.
func number(b []byte, little bool) uint64 {
	var v uint64
	for i := range b {
		c := b[i]
		if little {
			c = b[len(b)-1-i]
		}
		v = v<<8 | uint64(c)
	}
	return v
}

// guard runs fn and turns a panic inside it into an error: the parsers of the
// libraries below take a file by its word.
func guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parsing stopped: %v", r)
		}
	}()
	return fn()
}
