package symbol

import (
	"debug/dwarf"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Limits on what is looked at for one address.
const (
	maxFunctions = 4 << 20 // of one unit
	maxInlined   = 256     // calls that are inlined into each other
)

// A function is an entry of a function that has code.
type function struct {
	entry uint64 // offset in .debug_info
	start uint64 // its first address
}

// A call is an inlined call, and which entry has its name.
type call struct {
	origin     value
	file, line uint64
	depth      int
}

// frames returns the frames of addr, leaf first: the calls that were inlined,
// then the function that they were inlined into. It is nil if there is neither
// a function nor a line. The error says why there may be more than is returned.
func (d *dwarfFile) frames(addr uint64) ([]stack.Frame, error) {
	var first error
	for _, i := range d.covering(addr) {
		u, err := d.unit(i)
		if err == nil {
			whole := u
			if u.split {
				whole, err = d.joined(i, u)
			}
			if fs := whole.frames(addr); fs != nil {
				return fs, err
			}
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// frames is dwarfFile.frames for a unit that holds addr.
func (u *unit) frames(addr uint64) []stack.Frame {
	u.budget = maxUnitRanges
	u.scan()
	file, line := u.position(addr)
	found := u.covers.covering(addr)
	if len(found) == 0 {
		if file == "" {
			return nil
		}
		return []stack.Frame{{File: file, Line: line}}
	}
	f := u.functions[found[0].id]
	var out []stack.Frame
	calls := u.inlined(f.entry, addr)
	for i := len(calls) - 1; i >= 0; i-- {
		c := calls[i]
		n := u.d.referred(c.origin)
		out = append(out, stack.Frame{Function: n.function, Linkage: n.linkage, File: file, Line: line, Inlined: true})
		if file, line = u.file(c.file), int(c.line); line == 0 {
			file = ""
		}
	}
	n := u.d.naming(f.entry)
	return append(out, stack.Frame{Function: n.function, Linkage: n.linkage, Start: addr - min(f.start, addr), File: file, Line: line})
}

// scan finds the functions of the unit that have code, and the scopes.
func (u *unit) scan() {
	if u.scanned {
		return
	}
	u.scanned = true
	c := u.cursor(u.data)
	around := []int32{-1} // the scope of each level
	for c.left() > 0 && !c.bad && len(u.scopes) < maxFunctions {
		off := u.off + uint64(c.at)
		code := c.uleb()
		if code == 0 {
			around = around[:max(len(around)-1, 1)]
			continue
		}
		a := u.abbrevs.get(code)
		if a == nil {
			break
		}
		in := u.visit(&c, a, off, around[len(around)-1])
		if a.children {
			around = append(around, in)
		}
	}
	u.covers.sort()
	u.d.held += uint64(len(u.scopes)+4*len(u.covers)) * scopeSize
}

// visit reads the entry at off for scan. It returns the scope of its children.
func (u *unit) visit(c *cursor, a *abbrev, off uint64, in int32) int32 {
	if a.tag == dwarf.TagSubprogram {
		var e entry
		if u.read(c, a, &e); !c.bad {
			u.addFunction(off, &e)
		}
	} else {
		u.skip(c, a)
	}
	if !isScope[a.tag] {
		return in
	}
	u.scopes = append(u.scopes, scope{off, in})
	return int32(len(u.scopes) - 1)
}

// addFunction enters a function if it has code. Where it begins is the address
// of its first range: the others are parts that were split off.
func (u *unit) addFunction(off uint64, e *entry) {
	f := function{entry: off}
	n := len(u.covers)
	u.ranges(e, func(lo, hi uint64) {
		if f.start == 0 {
			f.start = lo
		}
		u.covers.add(lo, hi, uint32(len(u.functions)))
	})
	if len(u.covers) > n {
		u.functions = append(u.functions, f)
	}
}

// inlined returns the calls inlined at addr into the function at off, the
// outermost first.
func (u *unit) inlined(off, addr uint64) []call {
	var out []call
	var e entry
	c, depth := u.cursor(off), 0
	begin := c.at
	defer func() { u.d.walked += uint64(c.at - begin) }()
	for !c.bad && c.left() > 0 {
		code := c.uleb()
		if code == 0 {
			if depth--; depth <= 0 {
				break
			}
			continue
		}
		a := u.abbrevs.get(code)
		if a == nil {
			break
		}
		if a.tag == dwarf.TagInlinedSubroutine {
			u.read(&c, a, &e)
			if n := len(out); u.holds(&e, addr) && n < maxInlined && (n == 0 || depth > out[n-1].depth) {
				out = append(out, call{e.at[slotOrigin], e.at[slotCallFile].n, e.at[slotCallLine].n, depth})
			}
		} else {
			u.skip(&c, a)
		}
		if a.children {
			depth++
		}
		if depth == 0 {
			break
		}
	}
	return out
}

// holds says whether addr lies in a range of e.
func (u *unit) holds(e *entry, addr uint64) bool {
	held := false
	u.ranges(e, func(lo, hi uint64) { held = held || lo <= addr && addr < hi })
	return held
}
