package unwind

// A state is a row of the table that call frame instructions describe, reduced
// to the CFA, the frame pointer and the return address.
type state struct {
	cfa    cfaRule
	fp, ra regRule
}

type cfaKind uint8

const (
	cfaUnknown cfaKind = iota
	cfaReg             // reg + off
	cfaPLT             // of the kind of Info's PLT, off says which
	cfaDeref           // *(reg + off) + off2
)

// A cfaRule is how to compute the CFA.
type cfaRule struct {
	kind      cfaKind
	reg       uint64
	off, off2 int64
}

type regKind uint8

const (
	regSame      regKind = iota
	regUndefined         // explicitly: of the return address, the root
	regAtCFA             // *(CFA + off)
	regAtFP              // *(FP + off)
	regElsewhere
)

// A regRule is where the caller's value of a register is.
type regRule struct {
	kind regKind
	off  int64
}

// Call frame instructions, DWARF 5, section 7.24. Of the first three the upper
// two bits count; below are those of GNU and of arm64.
const (
	opAdvance      = 0x40
	opOffset       = 0x80
	opRestore      = 0xc0
	opNop          = 0x00
	opSetLoc       = 0x01
	opAdvance1     = 0x02
	opAdvance2     = 0x03
	opAdvance4     = 0x04
	opOffsetExt    = 0x05
	opRestoreExt   = 0x06
	opUndefined    = 0x07
	opSameValue    = 0x08
	opRegister     = 0x09
	opRemember     = 0x0a
	opRecall       = 0x0b
	opDefCFA       = 0x0c
	opDefCFAReg    = 0x0d
	opDefCFAOff    = 0x0e
	opDefCFAExpr   = 0x0f
	opExpr         = 0x10
	opOffsetExtSf  = 0x11
	opDefCFASf     = 0x12
	opDefCFAOffSf  = 0x13
	opValOffset    = 0x14
	opValOffsetSf  = 0x15
	opValExpr      = 0x16
	opNegateRAPC   = 0x2c // DW_CFA_AARCH64_negate_ra_state_with_pc
	opNegateRA     = 0x2d // DW_CFA_AARCH64_negate_ra_state
	opArgsSize     = 0x2e // DW_CFA_GNU_args_size
	opNegOffsetExt = 0x2f // DW_CFA_GNU_negative_offset_extended
	maxRemembered  = 64
)

// A machine runs call frame instructions. It calls emit.row, if there is one,
// whenever its state has been in force for at least one address, from pc on.
type machine struct {
	*section
	*common
	state  state
	pc     uint64
	memory []state
	emit   *builder
}

// run executes the instructions that c holds; the state that they end with is
// a row, too. It returns false at an instruction that it cannot execute.
func (m *machine) run(c cursor) bool {
	m.memory = m.memory[:0]
	for c.more() {
		if !m.step(&c) || c.bad {
			return false
		}
	}
	if m.emit != nil {
		m.emit.row()
	}
	return true
}

// step executes one instruction.
func (m *machine) step(c *cursor) bool {
	op := c.u8()
	switch low := uint64(op & 0x3f); op & 0xc0 {
	case opAdvance:
		m.advance(low)
		return true
	case opOffset:
		m.set(low, regAtCFA, int64(c.uleb())*m.dataAlign)
		return true
	case opRestore:
		m.restore(low)
		return true
	}
	switch op {
	case opNop, opNegateRA, opNegateRAPC:
	case opArgsSize:
		c.uleb()
	case opSetLoc:
		m.moveTo(c.pointer(m.enc, m.addr))
	case opAdvance1:
		m.advance(uint64(c.u8()))
	case opAdvance2:
		m.advance(uint64(c.u16()))
	case opAdvance4:
		m.advance(uint64(c.u32()))
	case opRemember:
		if len(m.memory) == maxRemembered {
			return false
		}
		m.memory = append(m.memory, m.state)
	case opRecall:
		n := len(m.memory) - 1
		if n < 0 {
			return false
		}
		m.state, m.memory = m.memory[n], m.memory[:n]
	default:
		return m.defineCFA(op, c) || m.define(op, c)
	}
	return true
}

// defineCFA executes an instruction about the CFA.
func (m *machine) defineCFA(op byte, c *cursor) bool {
	a := &m.state.cfa
	switch op {
	case opDefCFA:
		*a = cfaRule{kind: cfaReg, reg: c.uleb(), off: int64(c.uleb())}
	case opDefCFASf:
		*a = cfaRule{kind: cfaReg, reg: c.uleb(), off: c.sleb() * m.dataAlign}
	case opDefCFAReg:
		m.changeCFA(cfaRule{reg: c.uleb(), off: a.off})
	case opDefCFAOff:
		m.changeCFA(cfaRule{reg: a.reg, off: int64(c.uleb())})
	case opDefCFAOffSf:
		m.changeCFA(cfaRule{reg: a.reg, off: c.sleb() * m.dataAlign})
	case opDefCFAExpr:
		*a = m.arch.cfaExpr(c.take(c.uleb()))
	default:
		return false
	}
	return true
}

// changeCFA changes a part of a CFA that is a register and an offset; there is
// no such part in another one.
func (m *machine) changeCFA(to cfaRule) {
	if m.state.cfa.kind == cfaReg {
		to.kind = cfaReg
	}
	m.state.cfa = to
}

// define executes an instruction about another register.
func (m *machine) define(op byte, c *cursor) bool {
	reg := c.uleb()
	switch op {
	case opOffsetExt:
		m.set(reg, regAtCFA, int64(c.uleb())*m.dataAlign)
	case opOffsetExtSf:
		m.set(reg, regAtCFA, c.sleb()*m.dataAlign)
	case opNegOffsetExt:
		m.set(reg, regAtCFA, -int64(c.uleb())*m.dataAlign)
	case opRestoreExt:
		m.restore(reg)
	case opUndefined:
		m.set(reg, regUndefined, 0)
	case opSameValue:
		m.set(reg, regSame, 0)
	case opRegister, opValOffset:
		c.uleb()
		m.set(reg, regElsewhere, 0)
	case opValOffsetSf:
		c.sleb()
		m.set(reg, regElsewhere, 0)
	case opValExpr:
		c.take(c.uleb())
		m.set(reg, regElsewhere, 0)
	case opExpr:
		r := m.arch.regExpr(c.take(c.uleb()))
		m.set(reg, r.kind, r.off)
	default:
		return false
	}
	return true
}

func (m *machine) advance(n uint64) { m.moveTo(m.pc + n*m.codeAlign) }

func (m *machine) moveTo(pc uint64) {
	if pc != m.pc && m.emit != nil {
		m.emit.row()
	}
	m.pc = pc
}

func (m *machine) set(reg uint64, kind regKind, off int64) {
	switch reg {
	case m.arch.fp:
		m.state.fp = regRule{kind, off}
	case m.arch.ra:
		m.state.ra = regRule{kind, off}
	}
}

func (m *machine) restore(reg uint64) {
	switch reg {
	case m.arch.fp:
		m.state.fp = m.initial.fp
	case m.arch.ra:
		m.state.ra = m.initial.ra
	}
}
