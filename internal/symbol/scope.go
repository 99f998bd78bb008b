package symbol

import (
	"debug/dwarf"
	"sort"
)

// Limits on the search for a name.
const (
	maxOrigins = 16       // entries that one leads to
	maxScopes  = 64       // around each other
	maxNaming  = 8        // names that a name is made of, each in the other
	maxNames   = 32 << 20 // bytes of those that are held
)

// scopeSize is the size of a scope in bytes.
const scopeSize = 16

// A scope is an entry that others lie in, or a function: where it is in
// .debug_info, and the number of the scope that it lies in itself, or -1.
type scope struct {
	off uint64
	in  int32
}

// isScope holds the tags of entries that are scopes.
var isScope = map[dwarf.Tag]bool{
	dwarf.TagNamespace: true, dwarf.TagStructType: true, dwarf.TagClassType: true, dwarf.TagUnionType: true,
	dwarf.TagEnumerationType: true, dwarf.TagInterfaceType: true, dwarf.TagModule: true, dwarf.TagSubprogram: true,
}

// flatLanguages are those whose functions lie in no scope, C and assembly,
// DW_LANG_*.
var flatLanguages = map[uint64]bool{
	0x01: true, 0x02: true, 0x0c: true, 0x1d: true, 0x2c: true, 0x31: true, 0x3e: true, 0x8001: true,
}

// referred returns the name of the function that v leads to, in this file or
// in the one that it shares entries with.
func (d *dwarfFile) referred(v value) naming {
	if v.form == formGNURefAlt {
		if d.alt == nil {
			return naming{}
		}
		return d.alt.naming(v.n)
	}
	off, ok := v.reference()
	if !ok {
		return naming{}
	}
	return d.naming(off)
}

// naming returns the name of the function whose entry is at off: that of the
// linker if an entry has one, else the name of the source behind those of the
// scopes around it.
func (d *dwarfFile) naming(off uint64) naming {
	if n, ok := d.names[off]; ok {
		return n
	}
	if d.depth >= maxNaming {
		return naming{}
	}
	d.depth++
	n := d.readNaming(off)
	d.depth--
	size := entrySize + len(n.function) + len(n.linkage)
	if d.named += size; d.named > maxNames {
		clear(d.names)
		d.named = size
	}
	d.names[off] = n
	return n
}

// readNaming follows the entry at off to those that it is an instance or a
// definition of. The name that comes first counts, and the scope of the last.
func (d *dwarfFile) readNaming(off uint64) (n naming) {
	for i := 0; ; i++ {
		u, err := d.unitAt(off)
		if err != nil {
			return n
		}
		e, err := u.entry(off)
		if err != nil {
			return n
		}
		if s, ok := u.text(e.at[slotLinkage]); ok && s != "" {
			n.function, n.linkage = readable(s)
			return n
		}
		if s, ok := u.text(e.at[slotName]); ok && n.function == "" {
			n.function = s
		}
		next := e.at[slotSpec]
		if next.form == 0 {
			next = e.at[slotOrigin]
		}
		if next.form == formGNURefAlt {
			return d.referred(next)
		}
		to, ok := next.reference()
		if !ok || i == maxOrigins {
			return naming{function: u.scoped(off, n.function)}
		}
		off = to
	}
}

// scoped puts the names of the scopes around the entry at off before name. A
// function around it ends that: its own name has its scopes.
func (u *unit) scoped(off uint64, name string) string {
	if name == "" || flatLanguages[u.lang] {
		return name
	}
	u.scan()
	i := sort.Search(len(u.scopes), func(i int) bool { return u.scopes[i].off >= off })
	if i == len(u.scopes) || u.scopes[i].off != off {
		return name
	}
	for range maxScopes {
		if i = int(u.scopes[i].in); i < 0 {
			break
		}
		n, last := u.scopeName(u.scopes[i].off)
		if n != "" {
			name = n + "::" + name
		}
		if last || len(name) > maxDebugText {
			break
		}
	}
	return name
}

// scopeName returns the name of the scope at off, and whether it needs none
// before it.
func (u *unit) scopeName(off uint64) (name string, last bool) {
	e, err := u.entry(off)
	if err != nil {
		return "", true
	}
	if e.tag == dwarf.TagSubprogram {
		return u.d.naming(off).function, true
	}
	name, _ = u.text(e.at[slotName])
	switch {
	case name != "":
	case e.tag == dwarf.TagNamespace:
		name = "(anonymous namespace)"
	default:
		name = "(anonymous)"
	}
	return name, false
}
