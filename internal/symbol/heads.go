package symbol

import "fmt"

// Kinds of units, DW_UT_*.
const (
	unitCompile  = 0x01
	unitType     = 0x02
	unitSkeleton = 0x04
	unitSplit    = 0x05
	unitSplitTyp = 0x06
)

// A unitHead is the header of a unit: where it lies in .debug_info, where its
// first entry and its abbreviations are.
type unitHead struct {
	layout
	off, end, data, abbrev uint64
	kind                   uint64
	id                     uint64 // of split debug information, since DWARF 5
}

// readHeads reads the headers of all units.
func (d *dwarfFile) readHeads() error {
	for off := uint64(0); off < d.info.size; {
		h, err := d.head(off)
		if err != nil {
			return err
		}
		if len(d.heads) == maxUnits {
			return errSize
		}
		if h.data != 0 {
			d.heads = append(d.heads, h)
		}
		off = h.end
	}
	return nil
}

// head reads the header of the unit at off. Of a piece of zeros, which pads,
// only the end is set.
func (d *dwarfFile) head(off uint64) (unitHead, error) {
	b, err := d.info.bytes(off, min(64, d.info.size-off), 64)
	if err != nil {
		return unitHead{}, err
	}
	c := cursor{b: b, little: d.little}
	n, size := c.length()
	h := unitHead{off: off, layout: layout{offSize: size, little: d.little}, kind: unitCompile}
	if start := off + uint64(c.at); c.bad || n > d.info.size-start {
		return unitHead{}, fmt.Errorf("unit at %#x: %w", off, errRange)
	}
	h.end = off + uint64(c.at) + n
	if n == 0 {
		return h, nil
	}
	h.version = int(c.fixed(2))
	if h.version < 2 || h.version > 5 {
		return unitHead{}, fmt.Errorf("unit at %#x: version %d: %w", off, h.version, errDWARF)
	}
	if h.version < 5 {
		h.abbrev, h.addrSize = c.fixed(size), int(c.u8())
	} else {
		h.kind, h.addrSize = c.u8(), int(c.u8())
		h.abbrev = c.fixed(size)
	}
	switch h.kind {
	case unitSkeleton, unitSplit:
		h.id = c.fixed(8)
	case unitType, unitSplitTyp:
		c.take(uint64(8 + size))
	}
	h.data = off + uint64(c.at)
	if c.bad || h.addrSize != 4 && h.addrSize != 8 || h.data > h.end {
		return unitHead{}, fmt.Errorf("unit at %#x: %w", off, errDWARF)
	}
	return h, nil
}
