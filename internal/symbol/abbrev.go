package symbol

import (
	"debug/dwarf"
	"errors"
)

// maxAbbrevs bounds the size in bytes of a unit's abbreviations.
const maxAbbrevs = 1 << 20

// fieldSize is the size of a field in bytes.
const fieldSize = 24

// errDWARF means that debug information is damaged or of a form that is not
// read.
var errDWARF = errors.New("no DWARF of a known form")

// Slots of the attributes that are asked for.
const (
	slotName = iota
	slotLinkage
	slotLow
	slotHigh
	slotRanges
	slotOrigin
	slotSpec
	slotCallFile
	slotCallLine
	slotLines
	slotDir
	slotLang
	slotStrBase
	slotAddrBase
	slotRngBase
	slotDwo
	slotDwoID
	slots
)

// Attributes of the GNU extensions and of old compilers.
const (
	attrMIPSLinkage dwarf.Attr = 0x2007
	attrGNUDwoName  dwarf.Attr = 0x2130
	attrGNUDwoID    dwarf.Attr = 0x2131
	attrGNURngBase  dwarf.Attr = 0x2132
	attrGNUAddrBase dwarf.Attr = 0x2133
)

// slotOf leads from an attribute to its slot.
var slotOf = map[dwarf.Attr]int8{
	dwarf.AttrName: slotName, dwarf.AttrLinkageName: slotLinkage, attrMIPSLinkage: slotLinkage,
	dwarf.AttrLowpc: slotLow, dwarf.AttrHighpc: slotHigh, dwarf.AttrRanges: slotRanges,
	dwarf.AttrAbstractOrigin: slotOrigin, dwarf.AttrSpecification: slotSpec,
	dwarf.AttrCallFile: slotCallFile, dwarf.AttrCallLine: slotCallLine,
	dwarf.AttrStmtList: slotLines, dwarf.AttrCompDir: slotDir, dwarf.AttrLanguage: slotLang,
	dwarf.AttrStrOffsetsBase: slotStrBase, dwarf.AttrAddrBase: slotAddrBase, attrGNUAddrBase: slotAddrBase,
	dwarf.AttrRnglistsBase: slotRngBase, dwarf.AttrDwoName: slotDwo, attrGNUDwoName: slotDwo,
	attrGNUDwoID: slotDwoID, attrGNURngBase: slotRngBase,
}

// An abbrev is the form of an entry.
type abbrev struct {
	tag      dwarf.Tag
	children bool
	fields   []field
	// size is that of all values in bytes, or -1 if it varies.
	size int
}

// abbrevs are the abbreviations of a unit: those with the codes 1, 2, 3, ... as
// a list, the rest by code.
type abbrevs struct {
	list []abbrev
	more map[uint64]*abbrev
	size int // bytes in memory, about
}

// get returns the abbreviation with the code, or nil.
func (t *abbrevs) get(code uint64) *abbrev {
	if code-1 < uint64(len(t.list)) {
		return &t.list[code-1]
	}
	return t.more[code]
}

// abbrevs reads the abbreviations at off until that with the code stop; with 0
// it reads all.
func (d *dwarfFile) abbrevs(l *layout, off, stop uint64) (*abbrevs, error) {
	limit := uint64(maxAbbrevs)
	if stop != 0 {
		limit = 2048
	}
	b, err := d.abbrev.bytes(off, min(limit, d.abbrev.size-min(off, d.abbrev.size)), limit)
	if err != nil {
		return nil, err
	}
	d.walked += uint64(len(b))
	t, c := &abbrevs{more: map[uint64]*abbrev{}}, cursor{b: b, little: l.little}
	for code := c.uleb(); code != 0; code = c.uleb() {
		a := l.abbrev(&c)
		if c.bad {
			break
		}
		t.size += entrySize + fieldSize*len(a.fields)
		if code == uint64(len(t.list)+1) {
			t.list = append(t.list, a)
		} else {
			t.more[code] = &a
		}
		if code == stop {
			return t, nil
		}
	}
	if stop != 0 {
		return d.abbrevs(l, off, 0)
	}
	if c.bad {
		return nil, errDWARF
	}
	return t, nil
}

// abbrev reads one abbreviation behind its code.
func (l *layout) abbrev(c *cursor) abbrev {
	a := abbrev{tag: dwarf.Tag(c.uleb()), children: c.u8() != 0}
	for !c.bad {
		attr, f := c.uleb(), form(c.uleb())
		if attr == 0 && f == 0 {
			break
		}
		n, known := l.width(f)
		if !known {
			c.bad = true
			break
		}
		x := field{slot: -1, form: f, width: n}
		if s, ok := slotOf[dwarf.Attr(attr)]; ok {
			x.slot = s
		}
		if f == formImplicit {
			x.implicit = c.sleb()
		}
		if a.size >= 0 && n >= 0 {
			a.size += n
		} else {
			a.size = -1
		}
		a.fields = append(a.fields, x)
	}
	return a
}
