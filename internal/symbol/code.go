package symbol

import (
	"debug/elf"
	"fmt"
	"io"
)

// Limits on what ReadCode reads, in bytes.
const (
	maxFrameTable = 256 << 20
	maxGoTable    = 256 << 20
)

// maxDepthCode is how many bytes of a function Depth looks at.
const maxDepthCode = 1024

// maxText is how many executable segments ReadCode looks at.
const maxText = 64

// A Code is what an ELF file says of its own code.
type Code struct {
	Machine elf.Machine
	// Text are the executable segments, in file order; those of real files are one
	// or two.
	Text []Segment
	// Frames is the content of .eh_frame, at address FramesAt; nil if the file
	// has none. Without a section it goes on to the end of its segment, past the
	// entry of length zero that ends it.
	Frames   []byte
	FramesAt uint64
	// Go are the functions of the Go compiler and assembler; nil if there are
	// none.
	Go *GoCode
}

// A Segment is a part of the file that is mapped as one.
type Segment struct {
	Addr, Off  uint64 // virtual address and file offset of its first byte
	Size, File uint64 // bytes in memory, and how many of them are in the file
}

// A GoCode is the functions of a pclntab. They fill [Start, End).
type GoCode struct {
	Start, End uint64
	table      *goTable
}

// ReadCode reads the size bytes of r as an ELF file, 64-bit and little-endian.
// A damaged pclntab is taken as missing, and so is a damaged .eh_frame_hdr.
func ReadCode(r io.ReaderAt, size int64) (*Code, error) {
	im, err := newImage(&store{r: r, size: uint64(max(size, 0))})
	if err != nil {
		return nil, err
	}
	if !im.little() || im.Class != elf.ELFCLASS64 {
		return nil, errCFI
	}
	c := &Code{Machine: im.Machine}
	for _, p := range im.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && p.Vaddr+p.Memsz > p.Vaddr && len(c.Text) < maxText {
			c.Text = append(c.Text, Segment{p.Vaddr, p.Off, p.Memsz, min(p.Filesz, p.Memsz)})
		}
	}
	if c.Frames, c.FramesAt, err = im.frameTable(); err != nil {
		return nil, fmt.Errorf("reading .eh_frame: %w", err)
	}
	c.Go = im.goCode()
	return c, nil
}

// frameTable returns .eh_frame and its address, found by its section, else
// through PT_GNU_EH_FRAME.
func (im *image) frameTable() ([]byte, uint64, error) {
	if s := im.plain(".eh_frame"); s != nil {
		b, err := im.src.bytes(s.Offset, s.FileSize, maxFrameTable)
		return b, s.Addr, err
	}
	hdr, err := im.frameHeader()
	if err != nil {
		return nil, 0, nil
	}
	off, rest, ok := im.offset(hdr.frames)
	if !ok || off >= im.src.size {
		return nil, 0, nil
	}
	b, err := im.src.bytes(off, min(rest, im.src.size-off, maxFrameTable), maxFrameTable)
	return b, hdr.frames, err
}

// goCode reads the pclntab whole: all of its functions will be asked for.
func (im *image) goCode() *GoCode {
	var t *goTable
	err := guard(func() (err error) {
		t, err = im.findGo()
		return err
	})
	if err != nil || t == nil {
		return nil
	}
	n := min(t.size, im.src.size-min(t.off, im.src.size), maxGoTable)
	b, err := im.src.bytes(t.off, n, maxGoTable)
	if err != nil {
		return nil
	}
	held := *t
	held.src = &store{size: im.src.size, kept: []piece{{t.off, b}}}
	return &GoCode{t.lo, t.hi, &held}
}

// Functions calls fn with the start and the first 64 bytes of the name of every
// function, in the order of the table, which is that of addresses unless the
// table is damaged.
func (g *GoCode) Functions(fn func(start uint64, name string)) {
	t, p := g.table, g.table.peek()
	n := uint64(t.entrySize())
	for i := range t.count {
		start := t.entry(p, i)
		data := t.funcs + p.word(t.funcs+(2*i+1)*n, int(n)) + n
		name := t.names + uint64(goFunc{data: data}.field(p, fieldName))
		if p.err != nil {
			return
		}
		fn(start, p.prefix(name))
	}
}

// Depth returns how many bytes the function at addr has below its return
// address at most; on a machine with a link register, below the stack pointer
// of its caller. It is 0 if the table does not tell.
func (g *GoCode) Depth(addr uint64) (depth int32) {
	f, ok := g.table.find(addr)
	if !ok {
		return 0
	}
	off := f.field(g.table.peek(), fieldSP)
	for pc := f.entry; pc < f.end && pc-f.entry < maxDepthCode; pc += uint64(g.table.quantum) {
		if v, ok := g.table.value(f, off, pc); ok {
			depth = max(depth, v)
		}
	}
	return depth
}

// prefix returns the zero-terminated string at off, cut to 64 bytes.
func (p *peek) prefix(off uint64) string {
	var b [64]byte
	n, _ := p.ReadAt(b[:], int64(min(off, p.size)))
	for i, c := range b[:n] {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b[:n])
}
