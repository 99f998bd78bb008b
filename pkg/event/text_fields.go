package event

import "github.com/mmtrace/mmtrace/pkg/stack"

// A slot names a number in an Event.
type slot uint8

const (
	slotArg0 slot = iota
	slotArg1
	slotArg2
	slotArg3
	slotArg4
	slotArg5
	slotRet
	slotAux
	slotBrk
	slotStack
	slotSpace
	slotSeq
	slotAfter
	slotTime
	slotPID
	slotTID
	slotTotalVM
	slotLost
	slotMarks
	slotFrom
	slotTo
)

// slot returns the number in s.
func (e *Event) slot(s slot) uint64 {
	switch s {
	case slotRet:
		return uint64(e.Ret)
	case slotAux:
		return e.Aux
	case slotBrk:
		return e.Brk
	case slotStack:
		return uint64(e.Stack)
	case slotSpace:
		return uint64(e.Space)
	case slotSeq:
		return e.Seq
	case slotAfter:
		return e.After
	case slotTime:
		return uint64(e.Time)
	case slotPID:
		return uint64(e.PID)
	case slotTID:
		return uint64(e.TID)
	case slotTotalVM:
		return e.TotalVM
	case slotLost:
		return e.Lost
	case slotMarks:
		return uint64(e.Marks)
	case slotFrom:
		return e.From
	case slotTo:
		return e.To
	}
	return e.Args[s]
}

// setSlot puts v into s. It returns false if v does not fit.
func (e *Event) setSlot(s slot, v uint64) bool {
	switch s {
	case slotRet:
		e.Ret = int64(v)
	case slotAux:
		e.Aux = v
	case slotBrk:
		e.Brk = v
	case slotStack:
		e.Stack = stack.ID(v)
	case slotSpace:
		e.Space = SpaceID(v)
	case slotSeq:
		e.Seq = v
	case slotAfter:
		e.After = v
	case slotTime:
		e.Time = Time(v)
	case slotPID:
		e.PID = PID(v)
	case slotTID:
		e.TID = TID(v)
	case slotTotalVM:
		e.TotalVM = v
	case slotLost:
		e.Lost = v
	case slotMarks:
		e.Marks = Mark(v)
	case slotFrom:
		e.From = v
	case slotTo:
		e.To = v
	default:
		e.Args[s] = v
	}
	return e.slot(s) == v
}

// A field is a number with a key.
type field struct {
	key  string
	slot slot
	form form
	def  func(m *textMemory, ev *Event) uint64 // nil: 0
}

// kindFields are the fields of each kind's own. A default may look at operands,
// the result and fields before it.
var kindFields = [numKinds][]field{
	Mmap: {
		{"prot", slotArg2, protForm, func(*textMemory, *Event) uint64 { return uint64(ProtRead | ProtWrite) }},
		{"flags", slotArg3, mmapForm, func(*textMemory, *Event) uint64 { return MapPrivate | MapAnonymous }},
		{"fd", slotArg4, decimal, defaultFD},
		{"off", slotArg5, hex, nil},
		{"hint", slotArg0, hex, func(_ *textMemory, ev *Event) uint64 {
			return fixed(ev, ev.Args[3]&(MapFixed|MapFixedNoRep))
		}},
	},
	Mremap: {
		{"flags", slotArg3, mremapForm, defaultMremap},
		{"hint", slotArg4, hex, func(_ *textMemory, ev *Event) uint64 { return fixed(ev, ev.Args[3]&RemapFixed) }},
	},
	Brk: {{"request", slotArg0, hex, func(_ *textMemory, ev *Event) uint64 { return uint64(ev.Ret) }}},
	Shmat: {
		{"id", slotArg0, decimal, nil}, {"flags", slotArg2, shmatForm, nil},
		{"hint", slotArg1, hex, func(_ *textMemory, ev *Event) uint64 { return fixed(ev, ev.Args[2]&ShmRemap) }},
	},
	ShmGet: {
		{"id", slotRet, decimal, nil}, {"size", slotArg1, decimal, nil}, {"key", slotArg0, hex, nil},
		{"flags", slotArg2, shmgetForm, func(*textMemory, *Event) uint64 { return ipcCreate | 0o600 }},
	},
	Open:           {{"fd", slotRet, decimal, nil}, {"dev", slotArg0, devForm, nil}, {"ino", slotArg1, decimal, nil}, {"of", slotArg2, decimal, allOnes}},
	Dup:            {{"fd", slotRet, decimal, nil}, {"dev", slotArg0, devForm, nil}, {"ino", slotArg1, decimal, nil}, {"of", slotArg2, decimal, nil}},
	RemapFilePages: {{"prot", slotArg2, protForm, nil}, {"pgoff", slotArg3, hex, nil}, {"flags", slotArg4, hex, nil}},
	IoSetup:        {{"n", slotArg0, decimal, nil}, {"ctxp", slotArg1, hex, nil}},
	ShadowStack:    {{"flags", slotArg2, hex, nil}, {"hint", slotArg0, hex, nil}},
	Mprotect:       {{"prot", slotArg2, protForm, nil}},
	Madvise:        {{"advice", slotArg2, adviceForm, nil}},
	NameVMA:        {{"option", slotArg0, hex, func(*textMemory, *Event) uint64 { return prSetVMA }}},
	MapVDSO:        {{"code", slotArg0, hex, func(*textMemory, *Event) uint64 { return archMapVDSO64 }}},
	Other:          {{"nr", slotArg0, decimal, nil}},
	Fork:           {{"ppid", slotRet, decimal, nil}},
	Process:        {{"ppid", slotRet, decimal, nil}},
	Exit:           {{"status", slotRet, decimal, nil}},
}

const (
	prSetVMA      = 0x53564d41
	archMapVDSO64 = 0x2003
)

// commonFields are those of every kind, in the order of writing.
var commonFields = []field{
	{"a0", slotArg0, hex, nil}, {"a1", slotArg1, hex, nil}, {"a2", slotArg2, hex, nil},
	{"a3", slotArg3, hex, nil}, {"a4", slotArg4, hex, nil}, {"a5", slotArg5, hex, nil},
	{"stack", slotStack, idForm, nil},
	{"space", slotSpace, decimal, func(*textMemory, *Event) uint64 { return 1 }},
	{"seq", slotSeq, decimal, defaultSeq},
	{"after", slotAfter, decimal, nil},
	{"t", slotTime, timeForm, func(m *textMemory, ev *Event) uint64 {
		if ev.Kind == StackDef {
			return 0
		}
		return uint64(m.time + textStep)
	}},
	{"pid", slotPID, decimal, func(m *textMemory, ev *Event) uint64 { return uint64(before(m, ev).pid) }},
	{"tid", slotTID, decimal, func(m *textMemory, ev *Event) uint64 { return uint64(before(m, ev).tid) }},
	{"vm", slotTotalVM, decimal, nil},
	{"brk", slotBrk, hex, func(m *textMemory, ev *Event) uint64 {
		if ev.Seq == 0 {
			return 0
		}
		return m.space(ev.Space).brk
	}},
	{"aux", slotAux, hex, nil},
	{"lost", slotLost, decimal, func(m *textMemory, ev *Event) uint64 {
		if ev.Kind == StackDef {
			return 0
		}
		return m.space(ev.Space).lost
	}},
	{"marks", slotMarks, marksForm, defaultMarks},
	{"from", slotFrom, decimal, func(m *textMemory, ev *Event) uint64 {
		if ev.Kind != Snapshot {
			return 0
		}
		return m.space(ev.Space).seq
	}},
	{"to", slotTo, decimal, func(_ *textMemory, ev *Event) uint64 {
		if ev.Kind != Snapshot {
			return 0
		}
		return ev.From
	}},
}

// before returns what is remembered of ev's space if ev is of a thread in it.
func before(m *textMemory, ev *Event) *textSpace {
	if ev.Kind.Call() || ev.Kind == Clone || ev.Kind == Other || ev.Kind == Open || ev.Kind == Dup {
		return m.space(ev.Space)
	}
	return &textSpace{}
}

func defaultSeq(m *textMemory, ev *Event) uint64 {
	if !takesLock(ev.Kind) || ev.Failed() {
		return 0
	}
	return m.space(ev.Space).seq + 1
}

func defaultMarks(_ *textMemory, ev *Event) uint64 {
	if ev.Kind == Mmap && !ev.Failed() && ev.Args[3]&MapAnonymous == 0 || ev.Kind == Open || ev.Kind == Dup {
		return uint64(File)
	}
	return 0
}

func allOnes(*textMemory, *Event) uint64 { return ^uint64(0) }

func defaultFD(_ *textMemory, ev *Event) uint64 {
	if ev.Args[3]&MapAnonymous != 0 {
		return ^uint64(0)
	}
	return 0
}

func defaultMremap(_ *textMemory, ev *Event) uint64 {
	if ev.Failed() || uint64(ev.Ret) != ev.Args[0] {
		return RemapMayMove
	}
	return 0
}

// fixed returns the address that ev has if bits say that it was fixed.
func fixed(ev *Event, bits uint64) uint64 {
	if bits == 0 {
		return 0
	}
	return uint64(ev.Ret)
}
