package unwind

import "bytes"

// The few DWARF operations that expressions about frames consist of.
const (
	exprBreg0      = 0x70
	exprBreg31     = 0x8f
	exprDeref      = 0x06
	exprPlusUconst = 0x23
	exprLit0       = 0x30
)

// pltExpr is the CFA of a procedure linkage table as linkers write it:
//
//	rsp + 8 + ((rip & 15) >= N) << 3
//
// It is cut where N stands, which is 11, or 10 if the entries begin with
// endbr64.
var pltExpr = [2][]byte{
	{0x77, 8, 0x80, 0, exprLit0 + 15, 0x1a},
	{0x2a, exprLit0 + 3, 0x24, 0x22},
}

// cfaExpr understands a PLT's expression, and those of frames that keep the
// CFA in memory.
func (a *arch) cfaExpr(e []byte) cfaRule {
	if n := len(pltExpr[0]); a == &amd64 && len(e) == 11 &&
		bytes.Equal(e[:n], pltExpr[0]) && bytes.Equal(e[n+1:], pltExpr[1]) && e[n] >= exprLit0 && e[n] < exprLit0+16 {
		return cfaRule{kind: cfaPLT, off: int64(e[n] - exprLit0)}
	}
	c := cursor{b: e}
	r := cfaRule{kind: cfaDeref}
	var ok bool
	if r.reg, r.off, ok = c.based(); !ok || c.u8() != exprDeref {
		return cfaRule{}
	}
	if c.more() {
		if c.u8() != exprPlusUconst {
			return cfaRule{}
		}
		r.off2 = int64(c.uleb())
	}
	if c.bad || c.more() {
		return cfaRule{}
	}
	return r
}

// regExpr understands a register that is saved at a distance from the frame
// pointer.
func (a *arch) regExpr(e []byte) regRule {
	c := cursor{b: e}
	reg, off, ok := c.based()
	if !ok || c.more() || reg != a.fp {
		return regRule{kind: regElsewhere}
	}
	return regRule{regAtFP, off}
}

// based reads a register plus an offset.
func (c *cursor) based() (reg uint64, off int64, ok bool) {
	op := c.u8()
	off = c.sleb()
	return uint64(op - exprBreg0), off, !c.bad && op >= exprBreg0 && op <= exprBreg31
}
