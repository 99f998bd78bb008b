package symbol

import (
	"fmt"
	"sort"
)

// Limits on the debug information of one file, in bytes.
const (
	maxOpenInfo = 192 << 20 // of units that are held
	maxUnitSize = 128 << 20
	maxWalked   = 4 << 30 // of entries that are walked over in all
	maxOutline  = 1 << 30 // of those for the outline
)

// A dwarfFile is the debug information of one ELF file, DWARF 2 to 5. It holds
// an outline of all units, and the units that were asked for last; the file is
// read where it needs to be.
//
// The package debug/dwarf is not used for this: it parses the abbreviations of
// all units before the first question, allocates for every entry, and trusts
// the file.
type dwarfFile struct {
	little bool
	// alt is the file that this one shares names and entries with; nil if there
	// is none.
	alt *dwarfFile
	// split finds what was split off a unit; nil if nobody can.
	split func(u *unit) (*dwarfFile, error)
	parts map[uint32]fragment // what it found, by the number of the unit

	abbrev, aranges, info, line, lineStr *store
	str, strOffsets, addr, ranges, rngs  *store

	heads  []unitHead // in the order of the file
	index  spans      // of addresses to numbers of heads
	units  map[uint32]*unit
	held   uint64 // bytes of units
	walked uint64 // bytes of entries
	names  map[uint64]naming
	named  int // bytes of names
	depth  int // of calls of naming
}

// newDWARF returns a dwarfFile without content.
func newDWARF(little bool) *dwarfFile {
	d := &dwarfFile{little: little, units: map[uint32]*unit{}, names: map[uint64]naming{}, parts: map[uint32]fragment{}}
	for _, s := range []**store{&d.abbrev, &d.aranges, &d.info, &d.line, &d.lineStr, &d.str, &d.strOffsets, &d.addr, &d.ranges, &d.rngs} {
		*s = &store{}
	}
	return d
}

// readDWARF reads the outline of the file's debug information. It is nil if
// there is none.
func (im *image) readDWARF() (*dwarfFile, error) {
	if !im.hasDWARF() {
		return nil, nil
	}
	d := newDWARF(im.little())
	budget := uint64(maxInflated)
	for name, to := range map[string]**store{
		"abbrev": &d.abbrev, "aranges": &d.aranges, "info": &d.info, "line": &d.line, "line_str": &d.lineStr,
		"str": &d.str, "str_offsets": &d.strOffsets, "addr": &d.addr, "ranges": &d.ranges, "rnglists": &d.rngs,
	} {
		s, err := im.debugSection(name, &budget)
		if err != nil {
			return nil, fmt.Errorf("reading .debug_%s: %w", name, err)
		}
		*to = s
	}
	if err := d.outline(); err != nil {
		return nil, fmt.Errorf("reading .debug_info: %w", err)
	}
	return d, nil
}

// unitAt returns the unit that holds the offset off of .debug_info.
func (d *dwarfFile) unitAt(off uint64) (*unit, error) {
	i := sort.Search(len(d.heads), func(i int) bool { return d.heads[i].off > off }) - 1
	if i < 0 || off >= d.heads[i].end {
		return nil, fmt.Errorf("entry at %#x: %w", off, errRange)
	}
	return d.unit(uint32(i))
}

// unit returns unit number i. If too much is held all others are let go.
func (d *dwarfFile) unit(i uint32) (*unit, error) {
	if u := d.units[i]; u != nil {
		return u, nil
	}
	h := &d.heads[i]
	if d.walked += h.end - h.off; d.walked > maxWalked {
		return nil, fmt.Errorf("reading the unit at %#x: %w", h.off, errSize)
	}
	if d.held += h.end - h.off; d.held > maxOpenInfo {
		d.letGo()
		d.held = h.end - h.off
	}
	u, err := d.readUnit(h)
	if err != nil {
		return nil, fmt.Errorf("reading the unit at %#x: %w", h.off, err)
	}
	d.held += uint64(u.abbrevs.size)
	d.units[i] = u
	return u, nil
}

// letGo drops the units and names that are held, of the parts that were split
// off, too.
func (d *dwarfFile) letGo() {
	clear(d.units)
	clear(d.names)
	d.held, d.named = 0, 0
	for _, p := range d.parts {
		if p.file != nil {
			p.file.letGo()
		}
	}
}
