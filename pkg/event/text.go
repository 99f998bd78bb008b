package event

// The text form of a trace, for people to read and write. An event is a line:
//
//	# A hole in the middle leaves two live parts of one mapping.
//	mmap 0x1000+0x4000 stack=3
//	munmap 0x2000+0x1000 stack=4   # a comment may follow
//
// A line is the name of a Kind, its operands, the result if it is not implied,
// and fields. ADDR, LEN and all other numbers are decimal or, after 0x,
// hexadecimal; K, M, G and T may follow a number as binary units; -1 is all
// ones.
//
//	mmap ADDR+LEN              prot=rw flags= fd= off= hint=
//	munmap ADDR+LEN
//	mremap ADDR+LEN -> ADDR+LEN    flags= hint=
//	brk OLD -> NEW             request=
//	shmat ADDR+LEN             id= flags= hint=
//	shmdt ADDR
//	remap_file_pages ADDR+LEN  prot= pgoff= flags=
//	io_setup ADDR+LEN          n= ctxp=
//	io_destroy ADDR
//	map_shadow_stack ADDR+LEN  flags= hint=
//	mprotect ADDR+LEN          prot=
//	madvise ADDR+LEN           advice=
//	name_vma ADDR+LEN          option=
//	map_vdso ADDR              code=
//	clone
//	other                      nr=      (-1: a page fault)
//	fork                       parent=SPACE@SEQ ppid= comm=
//	exec                       parent=SPACE comm=
//	exit                       status=  (as wait(2) has it)
//	end
//	process                    ppid= comm=
//	stack ID PC...             leaf first
//	snapshot                   from= to=
//	shmget                     id= size= key= flags=
//	open                       fd= dev=MAJOR:MINOR ino=    (as in /proc/PID/maps)
//	dup                        fd= dev=MAJOR:MINOR ino= of=
//	clock                      t=
//
// A call that failed has its result behind the operands, " = EINVAL" or " = -22";
// where the result would be an address, the operand is then the one that was
// asked for. Any other result than 0 is written likewise.
//
// Fields follow in any order; they are written in this one: those of the kind
// as above, then
//
//	a0= to a5=   arguments that have no other place
//	stack=       the call stack's ID
//	space=       the address space; 1
//	seq=         the place in its order; the one after the newest of the space
//	             for a call that takes the write lock and does not fail, else 0
//	after=       for an event without seq; 0
//	t=           in nanoseconds, or with a unit (1.5s); 1 ms after the event before
//	pid=, tid=   as in the space's event before, for calls; else 0
//	vm=          pages counted before the change; 0, which means not told
//	brk=         the break before the change; as the space's event before left it
//	aux=         0
//	lost=        as in the space's event before
//	marks=       none; file for a mapping that is not anonymous, and for open and dup
//	from=, to=   of a snapshot: the newest seq of the space
//	parent=, comm=, frames=PC,PC
//
// where what stands behind the key is the default. Defaults of the kinds' own
// fields are zero, but prot=rw and private anonymous memory for mmap; hint is
// the address where flags have it fixed; mremap's flags are maymove if the
// address changes. Flags are words with commas, one number stands for all of
// them. mmap's are private and anonymous unless they say shared or file.
//
// A snapshot's regions are the indented lines that follow, as in
// /proc/PID/maps; all behind the permissions may be left out. A name or path
// that is empty, begins or ends with a blank, or holds a quote or what cannot be
// printed, is quoted as in Go; so is a comm with a blank in it.
//
// Reading what was written gives the same events.

// A textMemory is what reading and writing remember of the events before, for
// the defaults.
type textMemory struct {
	time   Time
	spaces map[SpaceID]*textSpace
}

// A textSpace is what is remembered of one address space.
type textSpace struct {
	seq  uint64 // the newest
	pid  PID
	tid  TID
	brk  uint64
	lost uint64
}

// textStep is the default distance of events in nanoseconds.
const textStep Time = 1e6

func (m *textMemory) space(id SpaceID) *textSpace {
	sp := m.spaces[id]
	if sp == nil {
		sp = &textSpace{}
		if m.spaces == nil {
			m.spaces = make(map[SpaceID]*textSpace)
		}
		m.spaces[id] = sp
	}
	return sp
}

// remember notes ev.
func (m *textMemory) remember(ev *Event) {
	if ev.Kind == StackDef {
		return
	}
	m.time = ev.Time
	sp := m.space(ev.Space)
	sp.seq = max(sp.seq, ev.Seq)
	sp.lost = ev.Lost
	switch {
	case ev.Kind == Snapshot:
		sp.seq = max(sp.seq, ev.From)
	case ev.Kind == Brk:
		sp.brk = uint64(ev.Ret)
	case ev.Seq != 0:
		sp.brk = ev.Brk
	}
	switch ev.Kind {
	case Snapshot, End, Exit:
	default:
		sp.pid, sp.tid = ev.PID, ev.TID
	}
}

// takesLock reports whether calls of the kind take the write lock as a rule.
func takesLock(k Kind) bool {
	return Mmap <= k && k <= MapVDSO && k != Madvise || k == Other
}
