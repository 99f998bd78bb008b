package symbol

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

// Limits on what a header may ask for.
const (
	maxSectionNames = 16 << 20
	maxNotes        = 1 << 20
)

// An image is the outline of an ELF file: its header, segments and sections.
// The content of the sections is read through src alone, never through
// elf.Section.Data, which would inflate a compressed one without a bound.
type image struct {
	*elf.File
	src *store
}

// newImage reads the headers of s. Section headers that are damaged are taken
// as missing: a file without them runs, and is read through its segments.
func newImage(s *store) (*image, error) {
	var f *elf.File
	open := func(r io.ReaderAt) func() error {
		return func() (err error) {
			f, err = elf.NewFile(r)
			return err
		}
	}
	if checkSections(s) == nil && guard(open(s)) == nil {
		return &image{f, s}, nil
	}
	if err := guard(open(headless{s})); err != nil {
		return nil, fmt.Errorf("reading the ELF header: %w", err)
	}
	return &image{f, s}, nil
}

// headless is a file without its section headers.
type headless struct{ *store }

// ReadAt reads zeros for e_shoff, e_shnum and e_shstrndx.
func (h headless) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.store.ReadAt(p, off)
	fields := [][2]int64{{40, 48}, {60, 64}}
	var class [1]byte
	if _, cerr := h.store.ReadAt(class[:], elf.EI_CLASS); cerr == nil && elf.Class(class[0]) == elf.ELFCLASS32 {
		fields = [][2]int64{{32, 36}, {48, 52}}
	}
	for _, f := range fields {
		for i := max(f[0], off); i < min(f[1], off+int64(n)); i++ {
			p[i-off] = 0
		}
	}
	return n, err
}

// checkSections returns an error if the section headers of s cannot be used:
// they lie outside of the file, or their string table is compressed or large.
func checkSections(s *store) error {
	head, err := s.bytes(0, min(64, s.size), 64)
	if err != nil || len(head) < 64 {
		return fmt.Errorf("reading the ELF header: %w", errRange)
	}
	var bo binary.ByteOrder = binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		bo = binary.BigEndian
	}
	if elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS32 {
		return checkTable(s, bo, sectionTable{uint64(bo.Uint32(head[32:])), bo.Uint16(head[46:]), bo.Uint16(head[48:]), bo.Uint16(head[50:]), 8, 20, 4})
	}
	return checkTable(s, bo, sectionTable{bo.Uint64(head[40:]), bo.Uint16(head[58:]), bo.Uint16(head[60:]), bo.Uint16(head[62:]), 8, 32, 8})
}

// A sectionTable is what the ELF header says of the section headers, and where
// in one of these flags and size are, each of word bytes.
type sectionTable struct {
	off             uint64
	entry, count    uint16
	names           uint16
	flagsAt, sizeAt uint64
	word            int
}

// checkTable does the work of checkSections for either class.
func checkTable(s *store, bo binary.ByteOrder, t sectionTable) error {
	if t.count == 0 {
		return fmt.Errorf("section headers: %w", errRange)
	}
	if err := s.check(t.off, uint64(t.entry)*uint64(t.count), s.size); err != nil {
		return fmt.Errorf("section headers: %w", err)
	}
	p := peek{store: s, little: bo == binary.LittleEndian}
	names := t.off + uint64(t.names)*uint64(t.entry)
	flags := p.word(names+t.flagsAt, t.word)
	size := p.word(names+t.sizeAt, t.word)
	if p.err == nil && (elf.SectionFlag(flags)&elf.SHF_COMPRESSED != 0 || size > maxSectionNames) {
		return fmt.Errorf("section names: %w", errSize)
	}
	return p.err
}

// little says whether the file's numbers are little-endian.
func (im *image) little() bool { return im.Data == elf.ELFDATA2LSB }

// wordSize returns the size of an address in bytes.
func (im *image) wordSize() int {
	if im.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

// peek returns a reader of numbers in the file's byte order.
func (im *image) peek() *peek { return &peek{store: im.src, little: im.little()} }

// addr returns the virtual address, as the file has it, of the byte at file
// offset off. If more than one segment maps the byte, an executable one wins.
func (im *image) addr(off uint64) (addr uint64, ok bool) {
	for _, p := range im.Progs {
		if p.Type != elf.PT_LOAD || off < p.Off || off-p.Off >= p.Filesz {
			continue
		}
		if p.Flags&elf.PF_X != 0 {
			return p.Vaddr + (off - p.Off), true
		}
		if !ok {
			addr, ok = p.Vaddr+(off-p.Off), true
		}
	}
	return addr, ok
}

// offset returns the file offset of the byte at virtual address addr and the
// number of bytes that follow it in the same segment's part of the file,
// itself included.
func (im *image) offset(addr uint64) (off, rest uint64, ok bool) {
	for _, p := range im.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			d := addr - p.Vaddr
			return p.Off + d, p.Filesz - d, true
		}
	}
	return 0, 0, false
}

// executable says whether addr lies in an executable segment.
func (im *image) executable(addr uint64) bool { return im.textEnd(addr) != 0 }

// textEnd returns the end of the executable segment that holds addr, or 0.
func (im *image) textEnd(addr uint64) uint64 {
	for _, p := range im.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Memsz {
			return p.Vaddr + p.Memsz
		}
	}
	return 0
}

// plain returns the first section of the given name whose bytes are in the
// file as they are, or nil.
func (im *image) plain(name string) *elf.Section {
	for _, s := range im.Sections {
		if s.Name == name && s.Type != elf.SHT_NOBITS && s.Flags&elf.SHF_COMPRESSED == 0 {
			return s
		}
	}
	return nil
}
