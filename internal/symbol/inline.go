package symbol

import "errors"

// errInlines means that a function has inlined calls which cannot be read.
var errInlines = errors.New("inlined calls cannot be read")

// A goCall is one inlined call: the function that was inlined and the address
// that stands for the call in the function around it.
type goCall struct {
	name   string
	parent uint64
}

// Layout of runtime.inlinedCall from Go 1.20 on, in bytes.
const (
	inlineSize   = 16
	inlineName   = 4
	inlineParent = 8
)

// inlined returns the call that was inlined at addr, if one was.
func (t *goTable) inlined(f goFunc, addr uint64) (c goCall, ok bool, err error) {
	p := t.peek()
	tables := uint64(f.field(p, fieldCount))
	at := f.data + 4*fieldTables
	if t.magic != magic120 {
		at -= 4 // no start line
	}
	if tables <= pcdataInlines {
		return goCall{}, false, p.err
	}
	i, known := t.value(f, p.u32(at+4*pcdataInlines), addr)
	if !known || i < 0 {
		return goCall{}, false, p.err
	}
	if t.magic != magic120 || t.inlines == 0 {
		return goCall{}, false, errInlines
	}
	tree := p.u32(at + 4*tables + 4*funcInlTree)
	if nfuncdata := p.word(at-1, 1); nfuncdata <= funcInlTree || tree == ^uint32(0) {
		return goCall{}, false, errInlines
	}
	call := t.inlines + uint64(tree) + uint64(i)*inlineSize
	name, parent := t.name(p.u32(call+inlineName)), uint64(p.u32(call+inlineParent))
	if p.err != nil || name == "" || parent >= f.end-f.entry {
		return goCall{}, false, errInlines
	}
	return goCall{name, f.entry + parent}, true, nil
}
