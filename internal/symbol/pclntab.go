package symbol

import (
	"bufio"
	"encoding/binary"
	"errors"
	"sort"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Limits on what a pclntab may ask for.
const (
	maxPCTable    = 1 << 20 // bytes of one function's table
	maxGoName     = 64 << 10
	maxInlines    = 64 // functions inlined into each other
	pcdataInlines = 2  // PCDATA_InlTreeIndex
	funcInlTree   = 3  // FUNCDATA_InlTree
)

// errPclntab means that a pclntab is of a Go release before 1.16 or damaged.
var errPclntab = errors.New("no pclntab of a known form")

// A goTable reads the tables that the Go runtime makes tracebacks with:
// functions, positions and inlined calls. It holds nothing and reads the file
// where it needs to, about 20 small reads for an address.
//
// The form is that of Go 1.16 (magic ...fa), 1.18 (...f0) and 1.20 (...f1) and
// later, see runtime/symtab.go and cmd/link/internal/ld/pcln.go. Inlined calls
// are known from 1.20 on.
type goTable struct {
	src    *store
	little bool
	// off and size tell where in the file the table is.
	off, size uint64
	magic     uint32
	quantum   uint32
	word      int
	// text is the address of runtime.text, which entries count from.
	text   uint64
	count  uint64
	lo, hi uint64
	// File offsets of the parts.
	names, units, files, values, funcs uint64
	// inlines is the file offset of go:func.*, which holds the inlined calls; 0
	// if it is unknown.
	inlines uint64
}

// Magic numbers of pclntab.
const (
	magic116 = 0xfffffffa
	magic118 = 0xfffffff0
	magic120 = 0xfffffff1
)

// newGoTable reads the header of the pclntab at file offset off. The text
// address is not set yet.
func newGoTable(im *image, off, size uint64) (*goTable, error) {
	p := im.peek()
	t := &goTable{src: im.src, little: im.little(), off: off, size: size, magic: p.u32(off)}
	t.quantum = uint32(p.word(off+6, 1))
	t.word = int(p.word(off+7, 1))
	if p.err != nil || p.word(off+4, 2) != 0 || t.word != im.wordSize() || t.quantum == 0 {
		return nil, errPclntab
	}
	field := func(i int) uint64 { return p.word(off+8+uint64(i*t.word), t.word) }
	t.count = field(0)
	first := 2
	switch t.magic {
	case magic116:
	case magic118, magic120:
		t.text = field(2) // 0 in a file that is relocated, and since Go 1.26
		first = 3
	default:
		return nil, errPclntab
	}
	for i, part := range []*uint64{&t.names, &t.units, &t.files, &t.values, &t.funcs} {
		o := field(first + i)
		if o > size {
			return nil, errPclntab
		}
		*part = off + o
	}
	if p.err != nil || t.count == 0 || t.count > size/uint64(2*t.entrySize()) {
		return nil, errPclntab
	}
	return t, nil
}

// setText fixes the address of runtime.text and with it the range of code that
// the table speaks of.
func (t *goTable) setText(text uint64) error {
	t.text = text
	p := t.peek()
	t.lo, t.hi = t.entry(p, 0), t.entry(p, t.count)
	if p.err != nil || t.hi <= t.lo {
		return errPclntab
	}
	return nil
}

func (t *goTable) peek() *peek { return &peek{store: t.src, little: t.little} }

// entrySize returns the size in bytes of a number of the function table.
func (t *goTable) entrySize() int {
	if t.magic == magic116 {
		return t.word
	}
	return 4
}

// entry returns the address at which function i begins.
func (t *goTable) entry(p *peek, i uint64) uint64 {
	n := t.entrySize()
	pc := p.word(t.funcs+2*i*uint64(n), n)
	if t.magic != magic116 {
		pc += t.text
	}
	return pc
}

// covers says whether addr is code of the Go compiler or assembler.
func (t *goTable) covers(addr uint64) bool { return t != nil && t.lo <= addr && addr < t.hi }

// A goFunc is a function of the table: where it begins, and the file offset of
// what the runtime calls a _func, past its entry.
type goFunc struct {
	entry, end uint64
	data       uint64
}

// find returns the function that covers addr.
func (t *goTable) find(addr uint64) (goFunc, bool) {
	p := t.peek()
	i := uint64(sort.Search(int(t.count), func(i int) bool { return t.entry(p, uint64(i)) > addr }))
	if p.err != nil || i == 0 || !t.covers(addr) {
		return goFunc{}, false
	}
	n := uint64(t.entrySize())
	f := goFunc{entry: t.entry(p, i-1), end: t.entry(p, i)}
	f.data = t.funcs + p.word(t.funcs+(2*i-1)*n, int(n)) + n
	return f, p.err == nil && f.entry <= addr && addr < f.end
}

// Fields of a _func behind its entry, in units of 4 bytes.
const (
	fieldName   = 0
	fieldSP     = 3
	fieldFile   = 4
	fieldLine   = 5
	fieldCount  = 6 // of PCDATA tables
	fieldUnit   = 7
	fieldTables = 10 // from Go 1.20 on
)

func (f goFunc) field(p *peek, i int) uint32 { return p.u32(f.data + uint64(4*i)) }

// value looks addr up in the table of f at offset off among the values. A
// table is a list of pairs: the change of the value, zigzag, and the number of
// instruction units for which it holds.
func (t *goTable) value(f goFunc, off uint32, addr uint64) (int32, bool) {
	if off == 0 {
		return 0, false
	}
	r := bufio.NewReaderSize(t.src.section(t.values+uint64(off), maxPCTable), 256)
	value, pc := int32(-1), f.entry
	for first := true; ; first = false {
		change, err1 := binary.ReadUvarint(r)
		if err1 != nil || change == 0 && !first {
			return 0, false
		}
		units, err2 := binary.ReadUvarint(r)
		if err2 != nil {
			return 0, false
		}
		value += int32(uint32(change>>1) ^ -uint32(change&1))
		pc += uint64(uint32(units) * t.quantum)
		if addr < pc {
			return value, true
		}
	}
}

// name returns the function name at offset off among the names.
func (t *goTable) name(off uint32) string {
	s, _ := t.src.text(t.names+uint64(off), maxGoName)
	return s
}

// position returns the source position of addr, that of the innermost inlined
// call.
func (t *goTable) position(f goFunc, addr uint64) (file string, line int) {
	p := t.peek()
	n, ok1 := t.value(f, f.field(p, fieldLine), addr)
	i, ok2 := t.value(f, f.field(p, fieldFile), addr)
	unit := f.field(p, fieldUnit)
	if !ok1 || !ok2 || i < 0 || p.err != nil {
		return "", 0
	}
	at := p.u32(t.units + 4*(uint64(unit)+uint64(i)))
	if p.err != nil || at == ^uint32(0) {
		return "", 0
	}
	file, ok := t.src.text(t.files+uint64(at), maxGoName)
	if !ok {
		return "", 0
	}
	return file, int(n)
}

// frames returns the frames of addr, leaf first: the inlined calls, then the
// function that they were inlined into. It is nil if the table has no function
// there. Where the inlined calls cannot be read, the position would belong to
// another function than the name, and is left out.
func (t *goTable) frames(addr uint64) []stack.Frame {
	f, ok := t.find(addr)
	if !ok {
		return nil
	}
	var out []stack.Frame
	p := t.peek()
	pc := addr
	for range maxInlines {
		file, line := t.position(f, pc)
		call, inlined, err := t.inlined(f, pc)
		if err != nil {
			out, file, line = nil, "", 0
		}
		if !inlined {
			last := stack.Frame{Start: addr - f.entry, File: file, Line: line}
			last.Function, last.Linkage = readableGo(t.name(f.field(p, fieldName)))
			if p.err != nil || last.Function == "" {
				return nil
			}
			return append(out, last)
		}
		fr := stack.Frame{File: file, Line: line, Inlined: true}
		fr.Function, fr.Linkage = readableGo(call.name)
		out = append(out, fr)
		pc = call.parent
	}
	return nil
}
