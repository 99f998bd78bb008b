package symbol

import (
	"errors"
	"fmt"
	"path"
)

// errSplit means that the debug information of a unit is in another file, as
// -gsplit-dwarf leaves it, and that there is no such file.
var errSplit = errors.New("split debug information is missing")

// A fragment is what was split off a unit, or why it is not there.
type fragment struct {
	file *dwarfFile
	err  error
}

// joined returns what was split off unit i, with u, which was left of it. If
// there is nothing it returns u and the reason.
func (d *dwarfFile) joined(i uint32, u *unit) (*unit, error) {
	p, ok := d.parts[i]
	if !ok {
		p.err = errSplit
		if d.split != nil {
			p.file, p.err = d.split(u)
		}
		d.parts[i] = p
	}
	if p.err != nil {
		return u, p.err
	}
	p.file.depth = 0
	before := p.file.held
	whole, err := p.file.find(u)
	if err != nil {
		return u, err
	}
	if grown := p.file.held - min(before, p.file.held); d.held+grown > maxOpenInfo {
		d.letGo()
	} else {
		d.held += grown
	}
	return whole, nil
}

// splitID returns the number that a unit and what was split off it share.
func (u *unit) splitID() uint64 {
	if v := u.root.at[slotDwoID]; v.form != 0 {
		return v.n
	}
	return u.id
}

// find returns the unit that was split off skeleton.
func (d *dwarfFile) find(skeleton *unit) (*unit, error) {
	for i := range d.heads {
		if k := d.heads[i].kind; k != unitCompile && k != unitSplit {
			continue
		}
		u, err := d.unit(uint32(i))
		if err != nil {
			return nil, err
		}
		if u.splitID() == skeleton.splitID() {
			u.skeleton, u.low, u.dir = skeleton, skeleton.low, skeleton.dir
			return u, nil
		}
	}
	return nil, errNotSame
}

// findSplit returns the file with what was split off u, a unit of the file at
// from: a package of all units beside that, or the file that u names, where the
// compiler has put it or beside from.
func (s *Symbolizer) findSplit(from string, u *unit) (*dwarfFile, error) {
	if f, _ := s.once("dwp "+from, func() (*debugFile, error) { return s.openSplit(from + ".dwp") }); f != nil {
		if d, err := guarded(func() (*dwarfFile, error) { return f.im.packaged(u.splitID()) }); err == nil {
			return d, nil
		}
	}
	name, _ := u.text(u.root.at[slotDwo])
	if name == "" {
		return nil, errSplit
	}
	made := name
	if !path.IsAbs(made) {
		made = path.Join("/", u.dir, made)
	}
	f, err := s.openSplit(made, path.Join(path.Dir(from), name), path.Join(path.Dir(from), path.Base(name)))
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", name, err)
	}
	return guarded(f.im.readDWO)
}

// openSplit opens the first of the files that there is.
func (s *Symbolizer) openSplit(names ...string) (*debugFile, error) {
	for _, p := range s.places() {
		for _, name := range names {
			f, err := p.open(name)
			if err != nil {
				continue
			}
			return s.adopt(name, f, anyBuild)
		}
	}
	return nil, errSplit
}
