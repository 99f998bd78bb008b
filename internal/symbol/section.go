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
// ratio of inflated to compressed that deflate can reach.
const (
	maxInflated = 1 << 30
	maxRatio    = 1032
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
			return im.inflate(raw, old, budget)
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
func (im *image) inflate(raw *io.SectionReader, old bool, budget *uint64) (*store, error) {
	p := peek{store: &store{r: raw, size: uint64(raw.Size())}, little: im.little()}
	head, size, kind := uint64(24), uint64(0), uint32(elf.COMPRESS_ZLIB)
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
	if elf.CompressionType(kind) != elf.COMPRESS_ZLIB {
		return nil, fmt.Errorf("compression type %d: %w", kind, errDWARF)
	}
	if size > *budget || size/maxRatio > uint64(raw.Size()) {
		return nil, fmt.Errorf("%d bytes: %w", size, errSize)
	}
	*budget -= size
	body := io.NewSectionReader(raw, int64(head), raw.Size()-int64(head))
	content := sync.OnceValues(func() (*bytes.Reader, error) { return inflated(body, size) })
	return &store{r: packed{content}, size: size}, nil
}

// inflated inflates size bytes.
func inflated(body io.Reader, size uint64) (*bytes.Reader, error) {
	z, err := zlib.NewReader(body)
	if err != nil {
		return nil, fmt.Errorf("inflating %d bytes: %w", size, err)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(z, b); err != nil {
		return nil, fmt.Errorf("inflating %d bytes: %w", size, err)
	}
	return bytes.NewReader(b), nil
}
