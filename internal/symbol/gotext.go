package symbol

import (
	"bufio"
	"debug/elf"
	"io"
	"slices"
)

// Words of runtime.moduledata, since Go 1.16; that of go:func.* since 1.20.
const (
	moduleHeader  = 0 // the pclntab
	moduleNames   = 1 // its function names
	moduleText    = 22
	moduleInlines = 40
)

// maxScan bounds the bytes of a segment that are searched.
const maxScan = 256 << 20

// findGo returns the Go tables of the file, or an error if it has none that
// can be read.
func (im *image) findGo() (*goTable, error) {
	off, size, ok := im.pclntab()
	if !ok {
		return nil, nil
	}
	t, err := newGoTable(im, off, size)
	if err != nil {
		return nil, err
	}
	addr, ok := im.addr(off)
	if !ok {
		return nil, errPclntab
	}
	text, inlines := im.moduleData(addr, addr+(t.names-off), t.word)
	if o, _, ok := im.offset(inlines); ok && t.magic == magic120 {
		t.inlines = o
	}
	for _, a := range []uint64{text, t.text, im.textSection()} {
		if im.executable(a) || t.magic == magic116 {
			return t, t.setText(a)
		}
	}
	return nil, errPclntab
}

// textSection returns the address of .text, which is that of runtime.text
// unless C code was linked in before it.
func (im *image) textSection() uint64 {
	if s := im.plain(".text"); s != nil {
		return s.Addr
	}
	return 0
}

// pclntab finds the table by its section, in a position-independent file also
// named .data.rel.ro.gopclntab. In a Go file without that section, or without
// any, it is searched for by its first bytes.
func (im *image) pclntab() (off, size uint64, ok bool) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := im.plain(name); s != nil && im.src.check(s.Offset, s.FileSize, im.src.size) == nil {
			return s.Offset, s.FileSize, true
		}
	}
	if len(im.Sections) > 0 && im.plain(".go.buildinfo") == nil && im.plain(".note.go.buildid") == nil {
		return 0, 0, false
	}
	return im.scanPclntab()
}

// scanPclntab searches the segments that cannot be executed for the header of
// a pclntab, which is aligned to the size of an address. Its size is unknown: the rest of the
// segment.
func (im *image) scanPclntab() (off, size uint64, ok bool) {
	for _, p := range im.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X != 0 {
			continue
		}
		im.scan(p, uint64(im.wordSize()), func(at uint64, b []byte) bool {
			magic := uint32(number(b[:4], im.little()))
			if magic != magic116 && magic != magic118 && magic != magic120 {
				return true
			}
			if _, err := newGoTable(im, at, p.Off+p.Filesz-at); err != nil {
				return true
			}
			off, size, ok = at, p.Off+p.Filesz-at, true
			return false
		})
		if ok {
			break
		}
	}
	return off, size, ok
}

// scan calls fn with every whole aligned block of n bytes, 4 or 8, of p's part
// of the file, until fn returns false. b is valid during the call.
func (im *image) scan(p *elf.Prog, n uint64, fn func(off uint64, b []byte) bool) {
	// Blocks are aligned in memory, and so in the file: offset and address of a
	// segment are equal modulo the page size.
	start := (p.Off + n - 1) &^ (n - 1)
	if start > p.Off+p.Filesz {
		return
	}
	r := im.src.section(start, min(p.Off+p.Filesz-start, maxScan))
	chunk := make([]byte, 128<<10)
	for {
		got, err := io.ReadFull(r, chunk)
		for b := chunk[:got]; uint64(len(b)) >= n; b = b[n:] {
			if !fn(start, b[:n]) {
				return
			}
			start += n
		}
		if err != nil {
			return
		}
	}
}

// moduleData returns the addresses of runtime.text and go:func.* as the
// runtime's moduledata has them, zero where they are unknown. The structure is
// the one that begins with the address of the pclntab and goes on with that of
// its names. In a position-independent file the linker leaves these words to
// relocations.
func (im *image) moduleData(pclntab, names uint64, word int) (text, inlines uint64) {
	text, inlines = im.moduleInPlace(pclntab, names, word)
	if text == 0 && word == 8 {
		text, inlines = im.moduleRelocated(pclntab, names)
	}
	return text, inlines
}

// moduleInPlace searches the writable segments.
func (im *image) moduleInPlace(pclntab, names uint64, word int) (text, inlines uint64) {
	w := uint64(word)
	for _, p := range im.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W == 0 || text != 0 {
			continue
		}
		im.scan(p, w, func(off uint64, b []byte) bool {
			if number(b, im.little()) != pclntab {
				return true
			}
			r := im.peek()
			if r.word(off+w*moduleNames, word) != names {
				return true
			}
			text, inlines = r.word(off+w*moduleText, word), r.word(off+w*moduleInlines, word)
			return false
		})
	}
	return text, inlines
}

// moduleRelocated searches the relocations: those that yield the address of
// the pclntab are the candidates, the others at the right distance from one of
// them tell the rest.
func (im *image) moduleRelocated(pclntab, names uint64) (text, inlines uint64) {
	var found []uint64
	im.relocations(func(at, value uint64) {
		if value == pclntab && len(found) < 64 {
			found = append(found, at)
		}
	})
	words := map[uint64]uint64{}
	im.relocations(func(at, value uint64) {
		for _, m := range found {
			if d := at - m; d == 8*moduleNames || d == 8*moduleText || d == 8*moduleInlines {
				words[at] = value
			}
		}
	})
	i := slices.IndexFunc(found, func(m uint64) bool { return words[m+8*moduleNames] == names })
	if i < 0 {
		return 0, 0
	}
	return words[found[i]+8*moduleText], words[found[i]+8*moduleInlines]
}

// relocations calls fn with the address and the addend of every entry of
// DT_RELA; those of a Go file that hold an address are all relative ones.
func (im *image) relocations(fn func(at, value uint64)) {
	const size = 24
	tags := im.dynamic()
	off, rest, ok := im.offset(tags[elf.DT_RELA])
	if !ok || im.wordSize() != 8 {
		return
	}
	n := min(tags[elf.DT_RELASZ], rest, maxScan)
	r := bufio.NewReaderSize(im.src.section(off, n), 64<<10)
	b := make([]byte, size)
	for range n / size {
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		fn(number(b[:8], im.little()), number(b[16:], im.little()))
	}
}
