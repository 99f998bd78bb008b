package symbol

import (
	"debug/elf"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// maxCachedNames bounds the names that a module remembers.
const maxCachedNames = 1 << 15

// A nameKey tells which aliases of a function a name was chosen from: those at
// addr with the n largest sizes, or those that have none.
type nameKey struct {
	from *symbols
	addr uint64
	n    int
	open bool
}

// A naming is the name of a function in both forms.
type naming struct{ function, linkage string }

// function returns the function that covers addr, of the first symbol table
// that has one.
func (m *Module) function(addr uint64) (stack.Frame, bool) {
	for _, t := range m.tables() {
		found := t.find(addr)
		if len(found) == 0 || found[0].open && !m.within(found[0].addr, addr, t.table.dynamic) {
			continue
		}
		if n, ok := m.name(t, found); ok {
			return stack.Frame{Function: n.function, Linkage: n.linkage, Start: addr - found[0].addr}, true
		}
	}
	return stack.Frame{}, false
}

// within says whether addr belongs to the function at start, for which the
// symbol table has no size. Assembly is often like that. Such a symbol already
// ends where the next symbol, label or section begins; but the next function
// may have no symbol, because the table was thinned out. Where call frame
// information covers addr, it must cover start in the same entry. Where it
// does not, the full symbol table is believed, and the dynamic one, which
// lacks all that is not exported, is not.
func (m *Module) within(start, addr uint64, dynamic bool) bool {
	c, _ := m.cfi()
	if e, ok := c.entry(addr); ok {
		return e.Cover(start)
	}
	return !dynamic
}

// name returns the best name among the aliases of one function.
func (m *Module) name(t *symbols, found []*symbol) (naming, bool) {
	key := nameKey{t, found[0].addr, len(found), found[0].open}
	m.mu.Lock()
	n, ok := m.names[key]
	m.mu.Unlock()
	if ok {
		return n, n.function != ""
	}
	var all []alias
	for _, s := range found {
		if uint64(s.name) >= t.table.namesSize {
			continue
		}
		limit := min(t.table.namesSize-uint64(s.name), maxLinkage)
		if name, ok := t.src.text(t.table.names+uint64(s.name), limit); ok && name != "" {
			all = append(all, alias{name, elf.SymBind(s.bind)})
		}
	}
	if len(all) > 0 {
		best := slices.MinFunc(all, compareAliases)
		n.function, n.linkage = readable(best.name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.names) >= maxCachedNames {
		clear(m.names)
	}
	m.names[key] = n
	return n, n.function != ""
}
