package symbol

// Contents of a file's description since DWARF 5, DW_LNCT_*.
const (
	contentPath = 1
	contentDir  = 2
)

// readLines reads the line program at off of .debug_line.
func (u *unit) readLines(off uint64) {
	from := u.d.line
	if off >= from.size {
		return
	}
	b, err := from.bytes(off, min(from.size-off, 12), 12)
	if err != nil {
		return
	}
	c := cursor{b: b, little: u.little}
	n, size := c.length()
	start := off + uint64(lengthSize(size))
	if c.bad || n > from.size-min(start, from.size) {
		return
	}
	if b, err = from.bytes(start, n, maxLines); err != nil {
		return
	}
	p := lineProgram{layout: u.layout, cursor: cursor{b: b, little: u.little}, t: u.lines, base: start}
	p.offSize = size
	if p.header() {
		p.run()
	}
	p.t.seqs.sort()
}

// header reads the program's header and goes to its first opcode.
func (p *lineProgram) header() bool {
	p.version = int(p.fixed(2))
	if p.version < 2 || p.version > 5 {
		return false
	}
	if p.version >= 5 {
		p.addrSize = int(p.u8())
		p.u8() // the size of a segment selector
	}
	n := p.fixed(p.offSize)
	if p.bad || n > uint64(p.left()) || p.addrSize != 4 && p.addrSize != 8 {
		return false
	}
	begin := p.at + int(n)
	p.minInst, p.opsPerInst = p.u8(), 1
	if p.version >= 4 {
		p.opsPerInst = max(p.u8(), 1)
	}
	p.u8() // default_is_stmt
	p.lineBase, p.lineRange = int64(int8(p.u8())), p.u8()
	p.opcodes = p.take(max(p.u8(), 1) - 1)
	if p.bad || p.lineRange == 0 {
		return false
	}
	if p.version >= 5 {
		p.t.dirs = directories(p.described())
		p.t.files = p.described()
	} else {
		p.oldFiles()
	}
	p.at = begin
	return !p.bad
}

// oldFiles reads directories and files as they are before DWARF 5.
func (p *lineProgram) oldFiles() {
	p.t.first = 1
	for !p.bad && len(p.t.dirs) < maxLineFiles {
		v := p.here()
		if p.text() == "" {
			break
		}
		p.t.dirs = append(p.t.dirs, v)
	}
	for !p.bad && p.oldFile() {
		p.bad = len(p.t.files) > maxLineFiles
	}
}

// here returns a value for the string that comes next.
func (p *lineProgram) here() value { return value{formString, p.base + uint64(p.at)} }

// oldFile reads a file as it is before DWARF 5; false is the end of the list.
func (p *lineProgram) oldFile() bool {
	f := lineFile{name: p.here()}
	if p.text() == "" {
		return false
	}
	f.dir = p.uleb()
	p.uleb() // time
	p.uleb() // size
	p.t.files = append(p.t.files, f)
	return true
}

// described reads a list of directories or files as it is since DWARF 5.
func (p *lineProgram) described() []lineFile {
	var forms []field
	var kinds []uint64
	for range p.u8() {
		kinds = append(kinds, p.uleb())
		f := field{form: form(p.uleb())}
		n, known := p.width(f.form)
		if !known {
			p.bad = true
		}
		f.width = n
		forms = append(forms, f)
	}
	count := p.uleb()
	var out []lineFile
	for i := uint64(0); i < count && !p.bad && p.left() > 0; i++ {
		var f lineFile
		for k := range forms {
			v := p.value(&p.cursor, &forms[k])
			if v.form == formString {
				v.n += p.base
			}
			switch kinds[k] {
			case contentPath:
				f.name = v
			case contentDir:
				f.dir = v.n
			}
		}
		out = append(out, f)
		p.bad = p.bad || len(out) > maxLineFiles
	}
	return out
}

// directories returns the names of what described read.
func directories(fs []lineFile) []value {
	out := make([]value, len(fs))
	for i, f := range fs {
		out[i] = f.name
	}
	return out
}
