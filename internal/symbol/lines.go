package symbol

import (
	"path"
	"slices"
	"sort"
)

// Limits on a unit's line table: the bytes of its program, and what that makes.
const (
	maxLines     = 64 << 20
	maxLineRows  = 8 << 20
	maxLineFiles = 1 << 20
)

// A lineRow says that from addr on, up to the next row, code comes from a line
// of a file.
type lineRow struct {
	addr       uint64
	file, line uint32
}

// lineRowSize is the size of a lineRow in bytes.
const lineRowSize = 16

// A lineTable is what a unit's line program makes: rows, in sequences of code
// that hangs together.
type lineTable struct {
	rows  []lineRow
	where []sequence
	seqs  spans // of addresses to sequences
	files []lineFile
	dirs  []value
	first int // number of the first file: 1 before DWARF 5
}

// A sequence is a part of the rows: [from, to).
type sequence struct{ from, to int }

// A lineFile is a source file: its name and the number of its directory.
type lineFile struct {
	name value
	dir  uint64
}

// lineTable returns the unit's line table. A damaged program gives the rows
// before the damage.
func (u *unit) lineTable() *lineTable {
	if u.lines == nil {
		u.lines = &lineTable{}
		if v := u.root.at[slotLines]; v.form != 0 {
			u.readLines(v.n)
			u.d.held += uint64(len(u.lines.rows)+2*len(u.lines.files)+len(u.lines.dirs)) * lineRowSize
		}
	}
	return u.lines
}

// position returns the file and the line of addr. Both are zero if the table
// has no line for it.
func (u *unit) position(addr uint64) (file string, line int) {
	if u.skeleton != nil {
		return u.skeleton.position(addr)
	}
	t := u.lineTable()
	for _, s := range t.seqs.covering(addr) {
		rows := t.rows[t.where[s.id].from:t.where[s.id].to]
		i := sort.Search(len(rows), func(i int) bool { return rows[i].addr > addr }) - 1
		if i >= 0 && rows[i].line != 0 {
			return u.file(uint64(rows[i].file)), int(rows[i].line)
		}
	}
	return "", 0
}

// file returns the path of the unit's source file number i: absolute if the
// compiler was told an absolute directory.
func (u *unit) file(i uint64) string {
	if u.skeleton != nil {
		return u.skeleton.file(i)
	}
	t := u.lineTable()
	i -= uint64(t.first)
	if i >= uint64(len(t.files)) {
		return ""
	}
	f := t.files[i]
	name, _ := u.lineText(f.name)
	if name == "" || path.IsAbs(name) {
		return name
	}
	dir := ""
	// Directory 0 is that of the compilation; it has an entry since DWARF 5.
	if n := f.dir - uint64(t.first); n < uint64(len(t.dirs)) {
		dir, _ = u.lineText(t.dirs[n])
	}
	if path.IsAbs(dir) {
		return path.Join(dir, name)
	}
	return path.Join(u.dir, dir, name)
}

// lineText returns a string of the line table; those of formString are in
// .debug_line.
func (u *unit) lineText(v value) (string, bool) {
	if v.form == formString {
		return u.d.line.text(v.n, min(maxDebugText, u.d.line.size-min(v.n, u.d.line.size)))
	}
	return u.text(v)
}

// end closes the sequence that began with row from, which ends at addr.
func (t *lineTable) end(from int, addr uint64) {
	rows := t.rows[from:]
	if len(rows) == 0 {
		return
	}
	byAddr := func(a, b lineRow) int {
		switch {
		case a.addr < b.addr:
			return -1
		case a.addr > b.addr:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(rows, byAddr) {
		slices.SortStableFunc(rows, byAddr)
	}
	t.seqs.add(rows[0].addr, addr, uint32(len(t.where)))
	t.where = append(t.where, sequence{from, len(t.rows)})
}
