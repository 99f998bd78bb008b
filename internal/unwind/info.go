package unwind

import (
	"errors"
	"sync"
)

// Errors of Build.
var (
	// ErrNoTable means that a file has nothing to make a table from.
	ErrNoTable = errors.New("no call frame information")
	// ErrTooLarge means that the text of a file spans more than a table covers.
	ErrTooLarge = errors.New("text too large")
	// ErrMachine means that a file is for another machine than x86-64 or arm64.
	ErrMachine = errors.New("not a known machine")
)

// A Kind is how a frame leads to its caller. The values are those of enum
// rule_kind in bpf/tables.h.
type Kind uint8

const (
	// Gap: nothing is known. What follows is a guess by frame pointers.
	Gap Kind = iota
	// Reg: the CFA is Base + Off.
	Reg
	// PLT: the CFA is SP + 8, and 8 more from byte Off of each 16 on.
	PLT
	// Deref: the CFA is the word at Base + Off, plus Off2.
	Deref
	// Signal: a signal handler's frame. The kernel put the registers on the
	// stack, at a fixed distance from SP.
	Signal
	// Root: there is no caller.
	Root
	// FramePointer: the code keeps a chain of frame pointers: Go.
	FramePointer
	// Unsupported: the file says it in a way that is not understood here.
	Unsupported
	// Switch: the code has gone over to the stack of Go's scheduler, see switched.
	Switch
)

// A Base is the register that a CFA is counted from.
type Base uint8

const (
	SP Base = iota
	FP      // rbp, x29
)

// An FPRule is where a frame keeps its caller's frame pointer.
type FPRule uint8

const (
	FPSame  FPRule = iota // still in the register
	FPAtCFA               // in memory, at CFA + FPOff
	FPAtFP                // in memory, at FP + FPOff: realigned frames
	FPLost                // somewhere else; the register counts as zero
)

// An Info is a rule in full. Its layout is that of struct rule in
// bpf/tables.h.
type Info struct {
	Kind Kind
	Base Base
	FP   FPRule
	// Link is 1 if the return address is in the link register, as in an arm64
	// leaf. Else it is in memory: at CFA + Off2, with Deref at CFA - 8.
	Link      uint8
	Off, Off2 int32
	FPOff     int32
}

// An Index names an Info among Infos.
type Index uint16

// The infos that are always there.
const (
	gapIndex         Index = 0
	unsupportedIndex Index = 1
)

// MaxInfos is how many different infos there can be in all tables together.
const MaxInfos = 16384

// Infos is the set of the infos that occur in tables. Indices are given in
// order of first use and stay. Its methods may be called concurrently.
type Infos struct {
	mu    sync.Mutex
	list  []Info
	index map[Info]Index
	full  int
}

// NewInfos returns a set of which index 0 is a Gap.
func NewInfos() *Infos {
	s := &Infos{index: map[Info]Index{}}
	s.intern(Info{Kind: Gap})
	s.intern(Info{Kind: Unsupported})
	return s
}

// intern returns the index of in, which it adds if there is room. Without room
// it counts and answers that such a frame is unsupported.
func (s *Infos) intern(in Info) Index {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.index[in]; ok {
		return x
	}
	if len(s.list) >= MaxInfos {
		s.full++
		return unsupportedIndex
	}
	x := Index(len(s.list))
	s.list = append(s.list, in)
	s.index[in] = x
	return x
}

// From returns the infos of index i and above, which are not to be changed.
// To bring another copy of the set up to date, append From(its length); a table
// must not be used with a copy that lacks its infos.
func (s *Infos) From(i int) []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[min(i, len(s.list)):len(s.list):len(s.list)]
}

// At returns the info of index x; the zero Info, a Gap, if there is none.
func (s *Infos) At(x Index) Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(x) >= len(s.list) {
		return Info{}
	}
	return s.list[x]
}

// Dropped returns how many infos found no room. Rows with them stop a walk as
// unsupported.
func (s *Infos) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}
