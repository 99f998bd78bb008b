package symbol

import (
	"debug/dwarf"
	"fmt"
)

// maxDebugText bounds the length in bytes of a name or a path in debug information.
const maxDebugText = 64 << 10

// An entry is one DIE with the attributes that are asked for.
type entry struct {
	tag      dwarf.Tag
	children bool
	at       [slots]value
}

// code returns the abbreviation code at offset off of .debug_info.
func (u *unit) code(off uint64) uint64 {
	c := u.cursor(off)
	return c.uleb()
}

// cursor returns a cursor over the unit from offset off of .debug_info on.
func (u *unit) cursor(off uint64) cursor {
	at := off - u.off
	return cursor{b: u.b, at: int(min(at, uint64(len(u.b)))), little: u.little}
}

// entry reads the entry at offset off of .debug_info.
func (u *unit) entry(off uint64) (e entry, err error) {
	c := u.cursor(off)
	a := u.abbrevs.get(c.uleb())
	if a == nil || off < u.data {
		return e, fmt.Errorf("entry at %#x: %w", off, errDWARF)
	}
	u.read(&c, a, &e)
	if c.bad {
		return e, fmt.Errorf("entry at %#x: %w", off, errDWARF)
	}
	return e, nil
}

// read reads an entry of form a behind its code into e.
func (u *unit) read(c *cursor, a *abbrev, e *entry) {
	*e = entry{tag: a.tag, children: a.children}
	for i := range a.fields {
		f := &a.fields[i]
		v := u.value(c, f)
		if v.form >= formRef1 && v.form <= formRefUdata {
			v.n += u.off
		}
		if f.slot >= 0 {
			e.at[f.slot] = v
		}
	}
}

// skip reads over an entry of form a behind its code.
func (u *unit) skip(c *cursor, a *abbrev) {
	if a.size >= 0 {
		c.take(uint64(a.size))
		return
	}
	for i := range a.fields {
		u.value(c, &a.fields[i])
	}
}

// reference returns the offset in .debug_info that v leads to.
func (v value) reference() (off uint64, ok bool) {
	return v.n, v.form == formRefAddr || v.form >= formRef1 && v.form <= formRefUdata
}

// text returns the string that v is.
func (u *unit) text(v value) (string, bool) {
	from, off := u.d.str, v.n
	switch {
	case v.form == formString:
		c := cursor{b: u.b, at: int(min(v.n, uint64(len(u.b))))}
		s := c.text()
		return s, !c.bad && len(s) <= maxDebugText
	case v.form == formStrp:
	case v.form == formGNUStrpAlt && u.d.alt != nil, v.form == formStrpSup && u.d.alt != nil:
		from = u.d.alt.str
	case v.form == formLineStrp:
		from = u.d.lineStr
	case v.form >= formStrx1 && v.form <= formStrx4, v.form == formStrx, v.form == formGNUStrx:
		p := peek{store: u.d.strOffsets, little: u.little}
		off = p.word(u.strBase+v.n*uint64(u.offSize), u.offSize)
		if p.err != nil {
			return "", false
		}
	default:
		return "", false
	}
	return from.text(off, min(maxDebugText, from.size-min(off, from.size)))
}

// address returns the address that v is.
func (u *unit) address(v value) (uint64, bool) {
	switch {
	case v.form == formAddr:
		return v.n, true
	case v.form >= formAddrx1 && v.form <= formAddrx4, v.form == formAddrx, v.form == formGNUAddrx:
		return u.indexed(v.n)
	}
	return 0, false
}

// indexed returns address number i of .debug_addr.
func (u *unit) indexed(i uint64) (uint64, bool) {
	if u.skeleton != nil {
		return u.skeleton.indexed(i)
	}
	p := peek{store: u.d.addr, little: u.little}
	a := p.word(u.addrBase+i*uint64(u.addrSize), u.addrSize)
	return a, p.err == nil
}
