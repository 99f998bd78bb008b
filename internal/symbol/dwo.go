package symbol

import (
	"fmt"
	"os"
)

// anyBuild is the check of a file whose parts have numbers of their own.
func anyBuild(*image, *os.File) error { return nil }

// A window is the part of a section that belongs to one unit; by default all.
type window struct{ off, size uint64 }

// readDWO reads what -gsplit-dwarf has put in a file of its own.
func (im *image) readDWO() (*dwarfFile, error) { return im.readUnits(nil) }

// readUnits reads the sections of split units, clipped to their windows.
func (im *image) readUnits(windows map[string]window) (*dwarfFile, error) {
	d := newDWARF(im.little())
	budget := uint64(maxInflated)
	for name, to := range map[string]**store{
		"abbrev": &d.abbrev, "info": &d.info, "str": &d.str, "str_offsets": &d.strOffsets, "rnglists": &d.rngs,
	} {
		s, err := im.debugSection(name+".dwo", &budget)
		if err != nil {
			return nil, fmt.Errorf("reading .debug_%s.dwo: %w", name, err)
		}
		if w, ok := windows[name]; ok {
			if err := s.check(w.off, w.size, s.size); err != nil {
				return nil, fmt.Errorf("reading .debug_%s.dwo: %w", name, err)
			}
			s = &store{r: s.section(w.off, w.size), size: w.size}
		}
		*to = s
	}
	if err := d.readHeads(); err != nil {
		return nil, fmt.Errorf("reading .debug_info.dwo: %w", err)
	}
	return d, nil
}

// Sections of a package of split units, DW_SECT_*: DWARF 5, section 7.3.5.3.
// Those of version 2 of the index, which came before it, are the same here but
// for the last.
var packageSections = map[uint32]string{1: "info", 3: "abbrev", 6: "str_offsets", 8: "rnglists"}

// maxPackageSections bounds the columns of an index.
const maxPackageSections = 64

// packaged returns the unit of a package (.dwp) that has the given number. The
// index is a hash table of numbers, one of rows, and for each row the offset and
// the size of the unit's part of each section.
func (im *image) packaged(id uint64) (*dwarfFile, error) {
	budget := uint64(maxInflated)
	s, err := im.indexSection(&budget)
	if err != nil {
		return nil, err
	}
	p := peek{store: s, little: im.little()}
	columns, units, slots := uint64(p.u32(4)), uint64(p.u32(8)), uint64(p.u32(12))
	if p.err != nil || columns > maxPackageSections || slots == 0 || slots&(slots-1) != 0 || slots > s.size/12 {
		return nil, errDWARF
	}
	row := uint64(p.u32(16 + 8*slots + 4*slot(&p, id, slots)))
	if p.err != nil || row == 0 || row > units {
		return nil, errSplit
	}
	names := 16 + 12*slots
	offsets := names + 4*columns*row
	sizes := offsets + 4*columns*units
	windows := map[string]window{}
	for i := range columns {
		if name, ok := packageSections[p.u32(names+4*i)]; ok {
			windows[name] = window{uint64(p.u32(offsets + 4*i)), uint64(p.u32(sizes + 4*i))}
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return im.readUnits(windows)
}

// slot returns the slot of a number in a hash table that begins behind the
// header of 16 bytes.
func slot(p *peek, id, slots uint64) uint64 {
	at, step := id&(slots-1), id>>32&(slots-1)|1
	for range slots {
		if got := p.word(16+8*at, 8); got == id || got == 0 || p.err != nil {
			break
		}
		at = (at + step) & (slots - 1)
	}
	return at
}

// indexSection returns the index of a package.
func (im *image) indexSection(budget *uint64) (*store, error) {
	s, err := im.debugSection("cu_index", budget)
	if err == nil && s.size < 16 {
		err = errSplit
	}
	return s, err
}
