package symbol

// Standard opcodes of a line program, DW_LNS_*, and extended ones, DW_LNE_*.
const (
	lineCopy         = 1
	lineAdvancePC    = 2
	lineAdvanceLine  = 3
	lineSetFile      = 4
	lineSetColumn    = 5
	lineConstAddPC   = 8
	lineFixedAdvance = 9
	lineSetISA       = 12

	lineEndSequence = 1
	lineSetAddress  = 2
	lineDefineFile  = 3
)

// A lineProgram runs one line program.
type lineProgram struct {
	layout
	cursor
	t    *lineTable
	base uint64 // of the program in .debug_line

	minInst, opsPerInst uint64
	lineBase            int64
	lineRange           uint64
	opcodes             []byte // numbers of operands

	row  lineRow
	op   uint64 // number of the operation in its instruction
	from int    // the first row of the sequence
}

// reset begins a sequence.
func (p *lineProgram) reset() {
	p.row, p.op, p.from = lineRow{file: 1, line: 1}, 0, len(p.t.rows)
}

// emit adds the row that the state is.
func (p *lineProgram) emit() { p.t.rows = append(p.t.rows, p.row) }

// advance goes on by n operations.
func (p *lineProgram) advance(n uint64) {
	p.row.addr += p.minInst * ((p.op + n) / p.opsPerInst)
	p.op = (p.op + n) % p.opsPerInst
}

// run runs the program to its end.
func (p *lineProgram) run() {
	p.reset()
	for p.left() > 0 && !p.bad && len(p.t.rows) < maxLineRows {
		switch op := p.u8(); {
		case op > uint64(len(p.opcodes)):
			n := op - uint64(len(p.opcodes)) - 1
			p.advance(n / p.lineRange)
			p.row.line += uint32(p.lineBase + int64(n%p.lineRange))
			p.emit()
		case op == 0:
			p.extended()
		default:
			p.standard(op)
		}
	}
}

// standard runs a standard opcode.
func (p *lineProgram) standard(op uint64) {
	switch op {
	case lineCopy:
		p.emit()
	case lineAdvancePC:
		p.advance(p.uleb())
	case lineAdvanceLine:
		p.row.line += uint32(p.sleb())
	case lineSetFile:
		p.row.file = uint32(p.uleb())
	case lineConstAddPC:
		p.advance((255 - uint64(len(p.opcodes)) - 1) / p.lineRange)
	case lineFixedAdvance:
		p.row.addr += p.fixed(2)
		p.op = 0
	default:
		for range p.opcodes[op-1] {
			p.uleb()
		}
	}
}

// extended runs an extended opcode.
func (p *lineProgram) extended() {
	n := p.uleb()
	end := p.at + int(min(n, uint64(p.left())))
	if n == 0 {
		return
	}
	switch p.u8() {
	case lineEndSequence:
		p.t.end(p.from, p.row.addr)
		p.reset()
	case lineSetAddress:
		if size := n - 1; size <= 8 {
			p.row.addr, p.op = p.fixed(int(size)), 0
		}
	case lineDefineFile:
		p.oldFile()
	}
	p.at = end
}
