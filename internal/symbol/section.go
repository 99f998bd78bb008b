package symbol

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"fmt"
	"io"
	"sync"
)

// Limits on compressed sections: the bytes of one file's, inflated, and the
// ratio of inflated to compressed that deflate and Zstandard can reach; a block
// of that is 128 KiB and can be 4 bytes (RFC 8878, sections 3.1.1.2).
const (
	maxInflated  = 1 << 30
	maxRatio     = 1032
	maxRatioZstd = 1 << 15
)

// hasDWARF says whether the file itself has debug information.
func (im *image) hasDWARF() bool {
	for _, s := range im.Sections {
		if (s.Name == ".debug_info" || s.Name == ".zdebug_info") && s.Type != elf.SHT_NOBITS && s.FileSize > 0 {
			return true
		}
	}
	return false
}

// debugSection returns the content of .debug_NAME, empty if there is none. What
// is inflated is taken off the budget.
func (im *image) debugSection(name string, budget *uint64) (*store, error) {
	for _, s := range im.Sections {
		old := s.Name == ".zdebug_"+name
		if s.Name != ".debug_"+name && !old || s.Type == elf.SHT_NOBITS {
			continue
		}
		if err := im.src.check(s.Offset, s.FileSize, im.src.size); err != nil {
			return nil, err
		}
		raw := im.src.section(s.Offset, s.FileSize)
		if old || s.Flags&elf.SHF_COMPRESSED != 0 {
			return im.inflate(s, old, budget)
		}
		return &store{r: raw, size: s.FileSize}, nil
	}
	return &store{}, nil
}

// A packed is the content of a compressed section. It is inflated when it is
// read for the first time, and then held.
type packed struct {
	content func() (*bytes.Reader, error)
}

// ReadAt reads from the inflated content.
func (p packed) ReadAt(b []byte, off int64) (int, error) {
	r, err := p.content()
	if err != nil {
		return 0, err
	}
	return r.ReadAt(b, off)
}

// inflate returns the content of a compressed section. old is the form of
// .zdebug sections: "ZLIB" and the size.
func (im *image) inflate(s *elf.Section, old bool, budget *uint64) (*store, error) {
	raw := im.src.section(s.Offset, s.FileSize)
	p := peek{store: &store{r: raw, size: uint64(raw.Size())}, little: im.little()}
	head, size, kind := int64(24), uint64(0), uint32(elf.COMPRESS_ZLIB)
	switch {
	case old:
		p.little = false
		head, size = 12, p.word(4, 8)
	case im.Class == elf.ELFCLASS32:
		head, size, kind = 12, uint64(p.u32(4)), p.u32(0)
	default:
		size, kind = p.word(8, 8), p.u32(0)
	}
	if p.err != nil {
		return nil, p.err
	}
	ratio, unpack := uint64(maxRatio), func() (io.Reader, error) {
		return zlib.NewReader(io.NewSectionReader(raw, head, raw.Size()-head))
	}
	switch elf.CompressionType(kind) {
	case elf.COMPRESS_ZLIB:
	case elf.COMPRESS_ZSTD:
		// The standard library has a decoder for debug/elf alone.
		ratio, unpack = maxRatioZstd, func() (io.Reader, error) { return s.Open(), nil }
	default:
		return nil, fmt.Errorf("compression type %d: %w", kind, errDWARF)
	}
	if size > *budget || size/ratio > s.FileSize {
		return nil, fmt.Errorf("%d bytes: %w", size, errSize)
	}
	*budget -= size
	content := sync.OnceValues(func() (*bytes.Reader, error) { return inflated(unpack, size) })
	return &store{r: packed{content}, size: size}, nil
}

// inflated returns the size bytes that unpack's reader gives.
func inflated(unpack func() (io.Reader, error), size uint64) (*bytes.Reader, error) {
	r, err := unpack()
	if err != nil {
		return nil, fmt.Errorf("inflating %d bytes: %w", size, err)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("inflating %d bytes: %w", size, err)
	}
	return bytes.NewReader(b), nil
}
