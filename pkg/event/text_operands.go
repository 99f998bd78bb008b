package event

import "slices"

// A shape says what stands between a kind's name and its fields.
type shape uint8

const (
	shapeNone  shape = iota
	shapeAddr        // ADDR
	shapeRange       // ADDR+LEN
	shapeMove        // ADDR+LEN -> ADDR+LEN
	shapeBreak       // ADDR -> ADDR
	shapeStack       // ID PC...
)

// An operands tells the shape of a kind and where its numbers go.
type operands struct {
	shape shape
	slots []slot
	// failed are the slots for a failed call, if they are others: there is no
	// address in the result.
	failed []slot
}

var kindOperands = [numKinds]operands{
	Mmap:           {shapeRange, []slot{slotRet, slotArg1}, []slot{slotArg0, slotArg1}},
	Munmap:         {shapeRange, []slot{slotArg0, slotArg1}, nil},
	Mremap:         {shapeMove, []slot{slotArg0, slotArg1, slotRet, slotArg2}, []slot{slotArg0, slotArg1, slotArg4, slotArg2}},
	Brk:            {shapeBreak, []slot{slotBrk, slotRet}, nil},
	Shmat:          {shapeRange, []slot{slotRet, slotAux}, []slot{slotArg1, slotAux}},
	Shmdt:          {shapeAddr, []slot{slotArg0}, nil},
	RemapFilePages: {shapeRange, []slot{slotArg0, slotArg1}, nil},
	IoSetup:        {shapeRange, []slot{slotArg5, slotAux}, nil},
	IoDestroy:      {shapeAddr, []slot{slotArg0}, nil},
	ShadowStack:    {shapeRange, []slot{slotRet, slotArg1}, []slot{slotArg0, slotArg1}},
	Mprotect:       {shapeRange, []slot{slotArg0, slotArg1}, nil},
	Madvise:        {shapeRange, []slot{slotArg0, slotArg1}, nil},
	NameVMA:        {shapeRange, []slot{slotArg2, slotArg3}, nil},
	MapVDSO:        {shapeAddr, []slot{slotArg1}, nil},
	StackDef:       {shapeStack, []slot{slotStack}, nil},
}

// of returns the slots for ev, whose kind and result are known.
func (o *operands) of(ev *Event) []slot {
	if o.failed != nil && ev.Failed() {
		return o.failed
	}
	return o.slots
}

// fieldsOf returns the fields of ev, whose kind and result are known, in the
// order of writing: no slot that an operand has, and none twice.
func fieldsOf(ev *Event) []field {
	taken := kindOperands[ev.Kind].of(ev)
	out := make([]field, 0, 24)
	for _, f := range kindFields[ev.Kind] {
		if !slices.Contains(taken, f.slot) {
			out = append(out, f)
		}
	}
	own := out[:len(out):len(out)]
	for _, f := range commonFields {
		twice := slices.ContainsFunc(own, func(g field) bool { return g.slot == f.slot })
		if !twice && !slices.Contains(taken, f.slot) {
			out = append(out, f)
		}
	}
	return out
}

// hasResult reports whether the result has a place among operands and fields.
func hasResult(ev *Event) bool {
	own := slices.ContainsFunc(kindFields[ev.Kind], func(f field) bool { return f.slot == slotRet })
	return own || slices.Contains(kindOperands[ev.Kind].of(ev), slotRet)
}
