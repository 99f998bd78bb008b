package symbol

import (
	"debug/dwarf"
	"slices"
)

// Limits on an outline of debug information.
const (
	maxUnits      = 1 << 20
	maxUnitRanges = 4 << 20
	maxAranges    = 256 << 20 // bytes
	maxRoot       = 4096      // bytes of a unit's first entry, if it is read alone
)

// outline reads the headers of all units and their ranges of addresses: those
// of .debug_aranges, and for units that are not there, as compilers other than
// GCC leave it, those of their first entry.
func (d *dwarfFile) outline() error {
	if err := d.readHeads(); err != nil {
		return err
	}
	known, err := d.readAranges()
	if err != nil {
		known, d.index = nil, nil
	}
	for i := range d.heads {
		if h := &d.heads[i]; !known[h.off] && h.kind != unitType {
			d.rootRanges(uint32(i))
		}
		if len(d.index) > maxUnitRanges || d.walked > maxOutline {
			return errSize
		}
	}
	d.index.sort()
	return nil
}

// readAranges enters the ranges of .debug_aranges and returns which units, by
// their offsets, have some.
func (d *dwarfFile) readAranges() (map[uint64]bool, error) {
	b, err := d.aranges.bytes(0, d.aranges.size, maxAranges)
	if err != nil {
		return nil, err
	}
	byOffset := make(map[uint64]uint32, len(d.heads))
	for i := range d.heads {
		byOffset[d.heads[i].off] = uint32(i)
	}
	known := map[uint64]bool{}
	for c := (cursor{b: b, little: d.little}); c.left() > 0; {
		n, size := c.length()
		set := cursor{b: c.take(n), little: d.little}
		head := c.at - len(set.b)
		version, off := set.fixed(2), set.fixed(size)
		addr, seg := int(set.u8()), set.u8()
		if c.bad || set.bad || version != 2 || seg != 0 || addr != 4 && addr != 8 {
			return nil, errDWARF
		}
		if i, ok := byOffset[off]; ok {
			// Pairs are aligned to their size from the start of the set.
			start := head - lengthSize(size)
			set.take(uint64(-(set.at + head - start) & (2*addr - 1)))
			known[off] = d.pairs(&set, addr, i)
		}
		if len(d.index) > maxUnitRanges {
			return nil, errSize
		}
	}
	return known, nil
}

// lengthSize returns the size in bytes of an initial length.
func lengthSize(offSize int) int { return offSize + 4*(offSize/8) }

// pairs enters the pairs of start and length of unit i, up to one of zeros.
func (d *dwarfFile) pairs(c *cursor, size int, i uint32) (some bool) {
	for c.left() >= 2*size {
		lo, n := c.fixed(size), c.fixed(size)
		if lo == 0 && n == 0 {
			break
		}
		d.index.add(lo, lo+n, i)
		some = true
	}
	return some
}

// rootRanges enters the ranges that the first entry of unit i has. A unit that
// cannot be read has none.
func (d *dwarfFile) rootRanges(i uint32) {
	h := &d.heads[i]
	b, err := d.info.bytes(h.off, min(h.end-h.off, maxRoot), maxRoot)
	if err != nil {
		return
	}
	u := &unit{unitHead: h, d: d, b: b, budget: maxUnitRanges - min(len(d.index), maxUnitRanges)}
	code := u.code(h.data)
	if u.abbrevs, err = d.abbrevs(&h.layout, h.abbrev, code); err != nil {
		return
	}
	root, err := u.entry(h.data)
	if err != nil || root.tag == dwarf.TagPartialUnit {
		return
	}
	u.setBases(&root)
	u.ranges(&root, func(lo, hi uint64) { d.index.add(lo, hi, i) })
}

// A unit is one that has been read. What is in it is found when it is asked for.
type unit struct {
	*unitHead
	d       *dwarfFile
	b       []byte // the unit, its header included
	abbrevs *abbrevs
	budget  int // how many ranges may still be read

	low               uint64 // what ranges count from
	strBase, addrBase uint64
	rngBase           uint64
	lang              uint64
	dir               string
	root              entry
	// split says that all but the addresses and the lines was split off; what was
	// has its skeleton here.
	split    bool
	skeleton *unit

	scanned   bool
	functions []function
	covers    spans   // of addresses to functions
	scopes    []scope // in the order of the file
	lines     *lineTable
}

// readUnit reads a unit with all its abbreviations.
func (d *dwarfFile) readUnit(h *unitHead) (*unit, error) {
	b, err := d.info.bytes(h.off, h.end-h.off, maxUnitSize)
	if err != nil {
		return nil, err
	}
	u := &unit{unitHead: h, d: d, b: b, budget: maxUnitRanges}
	if u.abbrevs, err = d.abbrevs(&h.layout, h.abbrev, 0); err != nil {
		return nil, err
	}
	root, err := u.entry(h.data)
	if err != nil {
		return nil, err
	}
	u.setBases(&root)
	u.root = root
	u.lang = root.at[slotLang].n
	u.dir, _ = u.text(root.at[slotDir])
	u.split = root.at[slotDwo].form != 0
	return u, nil
}

// setBases takes over what the first entry says of the offsets in all others.
func (u *unit) setBases(root *entry) {
	if u.version >= 5 { // without bases: behind the header of the first table
		head := uint64(lengthSize(u.offSize)) + 4
		u.strBase, u.addrBase, u.rngBase = head, head, head+4
	}
	for slot, to := range map[int]*uint64{slotStrBase: &u.strBase, slotAddrBase: &u.addrBase, slotRngBase: &u.rngBase} {
		if v := root.at[slot]; v.form != 0 {
			*to = v.n
		}
	}
	u.low, _ = u.address(root.at[slotLow])
}

// covering returns the numbers of the units that hold addr, the one with the
// narrowest range first, each once.
func (d *dwarfFile) covering(addr uint64) []uint32 {
	var out []uint32
	for _, s := range d.index.covering(addr) {
		if !slices.Contains(out, s.id) {
			out = append(out, s.id)
		}
	}
	return out
}
