package symbol

// Kinds of entries of .debug_rnglists, DW_RLE_*.
const (
	rangeEnd = iota
	rangeBasex
	rangeStartxEndx
	rangeStartxLength
	rangeOffsets
	rangeBase
	rangeStartEnd
	rangeStartLength
)

// maxRangeList bounds the bytes of one list of ranges.
const maxRangeList = 16 << 20

// ranges calls fn with every range [lo, hi) of e. What cannot be read is left
// out.
func (u *unit) ranges(e *entry, fn func(lo, hi uint64)) {
	if v := e.at[slotRanges]; v.form != 0 {
		u.listed(v, fn)
		return
	}
	lo, ok := u.address(e.at[slotLow])
	high := e.at[slotHigh]
	if !ok || high.form == 0 {
		return
	}
	u.budget--
	hi, absolute := u.address(high)
	if !absolute {
		hi = lo + high.n
	}
	fn(lo, hi)
}

// listed calls fn with the ranges of the list that v leads to. It reads as much
// of the section as it takes to see the end of the list.
func (u *unit) listed(v value, fn func(lo, hi uint64)) {
	from, off := u.d.ranges, v.n
	walk := u.pairs
	if u.version >= 5 {
		from, walk = u.d.rngs, u.entries
	}
	if u.skeleton != nil && u.version < 5 {
		from, off = u.skeleton.d.ranges, u.skeleton.rngBase+v.n
	}
	if v.form == formRnglistx {
		p := peek{store: from, little: u.little}
		off = u.rngBase + p.word(u.rngBase+v.n*uint64(u.offSize), u.offSize)
		if p.err != nil {
			return
		}
	}
	if off >= from.size {
		return
	}
	for n := uint64(512); ; n *= 32 {
		n = min(n, from.size-off)
		b, err := from.bytes(off, n, maxRangeList)
		if err != nil {
			return
		}
		if walk(cursor{b: b, little: u.little}, nil) || n == from.size-off {
			walk(cursor{b: b, little: u.little}, fn)
			return
		}
	}
}

// pairs walks a list of .debug_ranges and says whether it saw its end.
func (u *unit) pairs(c cursor, fn func(lo, hi uint64)) bool {
	base, top := u.low, ^uint64(0)>>(64-8*u.addrSize)
	for ; u.budget > 0; u.budget-- {
		lo, hi := c.fixed(u.addrSize), c.fixed(u.addrSize)
		switch {
		case c.bad:
			return false
		case lo == 0 && hi == 0:
			return true
		case lo == top:
			base = hi
			continue
		}
		if fn != nil {
			fn(base+lo, base+hi)
		}
	}
	return true
}

// entries walks a list of .debug_rnglists and says whether it saw its end.
func (u *unit) entries(c cursor, fn func(lo, hi uint64)) bool {
	base := u.low
	indexed := func() uint64 {
		a, _ := u.indexed(c.uleb())
		return a
	}
	for ; u.budget > 0; u.budget-- {
		var lo, hi uint64
		switch kind := c.u8(); kind {
		case rangeEnd:
			return !c.bad
		case rangeBasex:
			base = indexed()
			continue
		case rangeBase:
			base = c.fixed(u.addrSize)
			continue
		case rangeStartxEndx:
			lo = indexed()
			hi = indexed()
		case rangeStartxLength:
			lo = indexed()
			hi = lo + c.uleb()
		case rangeOffsets:
			lo, hi = base+c.uleb(), base
			hi += c.uleb()
		case rangeStartEnd:
			lo, hi = c.fixed(u.addrSize), c.fixed(u.addrSize)
		case rangeStartLength:
			lo = c.fixed(u.addrSize)
			hi = lo + c.uleb()
		default:
			return true
		}
		if c.bad {
			return false
		}
		if fn != nil {
			fn(lo, hi)
		}
	}
	return true
}
