package symbol

import (
	"bufio"
	"cmp"
	"debug/elf"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Limits on a symbol table: the functions that are held, of which a browser
// has 1.5 million, and the bytes that are read.
const (
	maxSymbols = 4 << 20
	maxTable   = 1 << 30
)

// A symbolTable says where in the file a table of symbols and their names are.
type symbolTable struct {
	off, size        uint64
	names, namesSize uint64
	dynamic          bool
}

// A symbol is a function as the file has it. Its name stays in the file.
type symbol struct {
	addr, end uint64
	// reach is the largest end of this symbol and all before it.
	reach uint64
	name  uint32
	bind  uint8
	// open: the file gives no size; end is where something else begins.
	open bool
}

func (s *symbol) covers(addr uint64) bool { return s.addr <= addr && addr < s.end }

// symbols are the functions of a file in the order of their addresses.
type symbols struct {
	list  []symbol
	table symbolTable
	src   *store // that has the names
}

// symbolSize returns the size in bytes of one symbol in the file.
func (im *image) symbolSize() int {
	if im.Class == elf.ELFCLASS32 {
		return elf.Sym32Size
	}
	return elf.Sym64Size
}

// tableOf returns the table that sections of the given kind are.
func (im *image) tableOf(kind elf.SectionType) (symbolTable, bool) {
	for _, s := range im.Sections {
		if s.Type != kind || s.Flags&elf.SHF_COMPRESSED != 0 || int(s.Link) >= len(im.Sections) {
			continue
		}
		names := im.Sections[s.Link]
		if names.Type == elf.SHT_STRTAB && names.Flags&elf.SHF_COMPRESSED == 0 {
			return symbolTable{s.Offset, s.FileSize, names.Offset, names.FileSize, kind == elf.SHT_DYNSYM}, true
		}
	}
	return symbolTable{}, false
}

// readSymbols reads the functions of .symtab, else of .dynsym, else of what
// PT_DYNAMIC tells. A file without any has an empty list and no error.
func (im *image) readSymbols() (*symbols, error) {
	for _, kind := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
		if t, ok := im.tableOf(kind); ok {
			return im.readTable(t)
		}
	}
	if t, ok := im.dynamicTable(); ok {
		return im.readTable(t)
	}
	return &symbols{}, nil
}

// readFullSymbols reads the functions of .symtab alone.
func (im *image) readFullSymbols() (*symbols, error) {
	if t, ok := im.tableOf(elf.SHT_SYMTAB); ok {
		return im.readTable(t)
	}
	return &symbols{}, nil
}

// readTable reads the functions of a symbol table.
func (im *image) readTable(t symbolTable) (*symbols, error) {
	if err := im.src.check(t.off, t.size, maxTable); err != nil {
		return nil, fmt.Errorf("reading symbols: %w", err)
	}
	b := builder{im: im}
	r := bufio.NewReaderSize(im.src.section(t.off, t.size), 64<<10)
	entry := make([]byte, im.symbolSize())
	for range t.size / uint64(len(entry)) {
		if _, err := io.ReadFull(r, entry); err != nil {
			return nil, fmt.Errorf("reading symbols: %w", err)
		}
		b.add(b.decode(entry))
		if len(b.list)+len(b.labels) > maxSymbols {
			return nil, fmt.Errorf("reading symbols: %w", errSize)
		}
	}
	return &symbols{b.finish(), t, im.src}, nil
}

// A builder collects the functions of a table.
type builder struct {
	im   *image
	list []symbol
	// labels are addresses that have a symbol but neither type nor size.
	labels []uint64
}

// A rawSymbol is one entry of a symbol table.
type rawSymbol struct {
	addr, size uint64
	name       uint32
	info       uint8
	section    elf.SectionIndex
}

// decode reads one entry of either class.
func (b *builder) decode(e []byte) rawSymbol {
	little := b.im.little()
	if b.im.Class == elf.ELFCLASS32 {
		return rawSymbol{
			number(e[4:8], little), number(e[8:12], little), uint32(number(e[:4], little)),
			e[12], elf.SectionIndex(number(e[14:16], little)),
		}
	}
	return rawSymbol{
		number(e[8:16], little), number(e[16:24], little), uint32(number(e[:4], little)),
		e[4], elf.SectionIndex(number(e[6:8], little)),
	}
}

// add takes s if it names code. A symbol without a type counts as a function
// if it has a size and lies in an executable segment, and else as a label.
func (b *builder) add(s rawSymbol) {
	if s.name == 0 || s.section == elf.SHN_UNDEF || s.section == elf.SHN_ABS || s.section == elf.SHN_COMMON {
		return
	}
	addr := s.addr
	if b.im.Machine == elf.EM_ARM {
		addr &^= 1 // the Thumb bit
	}
	switch elf.ST_TYPE(s.info) {
	case elf.STT_FUNC, elf.STT_GNU_IFUNC:
	case elf.STT_NOTYPE:
		if s.size == 0 {
			b.labels = append(b.labels, addr)
			return
		}
		if !b.im.executable(addr) {
			return
		}
	default:
		return
	}
	sym := symbol{addr: addr, end: addr + s.size, name: s.name, bind: uint8(elf.ST_BIND(s.info)), open: s.size == 0}
	if sym.open {
		sym.end = b.sectionEnd(s.section, addr)
	}
	if sym.end > sym.addr {
		b.list = append(b.list, sym)
	}
}

// sectionEnd returns the end of the section that holds addr, or without
// section headers that of its executable segment; 0 if there is neither.
func (b *builder) sectionEnd(i elf.SectionIndex, addr uint64) uint64 {
	if len(b.im.Sections) == 0 {
		return b.im.textEnd(addr)
	}
	if int(i) >= len(b.im.Sections) {
		return 0
	}
	s := b.im.Sections[i]
	if s.Flags&elf.SHF_EXECINSTR == 0 || addr < s.Addr || addr-s.Addr >= s.Size {
		return 0
	}
	return s.Addr + s.Size
}

// finish sorts the symbols and ends each one without a size where the next
// symbol or label begins.
func (b *builder) finish() []symbol {
	slices.SortFunc(b.list, func(x, y symbol) int {
		return cmp.Or(cmp.Compare(x.addr, y.addr), cmp.Compare(y.end, x.end), cmp.Compare(x.name, y.name))
	})
	slices.Sort(b.labels)
	next := ^uint64(0)
	for i := len(b.list) - 1; i >= 0; i-- {
		s := &b.list[i]
		if i+1 < len(b.list) && b.list[i+1].addr > s.addr {
			next = b.list[i+1].addr
		}
		if s.open {
			s.end = min(s.end, next, b.nextLabel(s.addr))
		}
	}
	var reach uint64
	for i := range b.list {
		reach = max(reach, b.list[i].end)
		b.list[i].reach = reach
	}
	return slices.Clip(b.list)
}

// nextLabel returns the first label beyond addr.
func (b *builder) nextLabel(addr uint64) uint64 {
	i := sort.Search(len(b.labels), func(i int) bool { return b.labels[i] > addr })
	if i == len(b.labels) {
		return ^uint64(0)
	}
	return b.labels[i]
}

// find returns the symbols that cover addr and begin at the same address: the
// aliases of one function. Of functions inside of each other it is the
// innermost, and one that has a size goes before one that has none.
func (t *symbols) find(addr uint64) []*symbol {
	var open []*symbol
	i := sort.Search(len(t.list), func(i int) bool { return t.list[i].addr > addr }) - 1
	for i >= 0 && t.list[i].reach > addr {
		var sized, unsized []*symbol
		start := t.list[i].addr
		for ; i >= 0 && t.list[i].addr == start; i-- {
			switch s := &t.list[i]; {
			case !s.covers(addr):
			case s.open:
				unsized = append(unsized, s)
			default:
				sized = append(sized, s)
			}
		}
		if sized != nil {
			return sized
		}
		if open == nil {
			open = unsized
		}
	}
	return open
}
