package unwind

import "strconv"

// A Stop is why a walk ended. The values are those of enum stop in
// bpf/tables.h.
type Stop uint8

const (
	// StopNone: it did not end, or did not begin.
	StopNone Stop = iota
	// StopRoot: at the root. The stack is complete.
	StopRoot
	// StopZero: the caller's address is none of code, as where a thread began
	// whose root is not marked.
	StopZero
	// StopNoMap: the caller's address lies in no executable mapping that is
	// known.
	StopNoMap
	// StopGap: there is no rule, and no frame pointer that could be one.
	StopGap
	// StopUnsupported: the rule is one that is not understood.
	StopUnsupported
	// StopFault: memory could not be read.
	StopFault
	// StopMax: at MaxFrames.
	StopMax
	// StopFPEnd: the chain of frame pointers ended.
	StopFPEnd
	// StopNoSpace: nothing is known of the address space.
	StopNoSpace
)

var stopNames = [...]string{"none", "root", "zero", "nomap", "gap", "unsupported", "fault", "max", "fpend", "nospace"}

// String returns a word.
func (s Stop) String() string {
	if int(s) < len(stopNames) {
		return stopNames[s]
	}
	return "stop " + strconv.Itoa(int(s))
}

// Unfinished says whether more may be found with newer tables and a copy of
// the stack.
func (s Stop) Unfinished() bool {
	switch s {
	case StopNoMap, StopGap, StopUnsupported, StopNoSpace:
		return true
	}
	return false
}

// A State is a frame on the way up a stack.
type State struct {
	PC, SP, FP uint64
	LR         uint64 // arm64: counts while Fresh
	// Call says that PC is behind the instruction that is being executed: a
	// call, or at the start the system call.
	Call bool
	// Fresh says that the registers are those of the machine: at the start, and
	// of what a signal interrupted.
	Fresh bool
	// Blind says that SP is only known to be no lower, as on arm64 behind a step
	// by frame pointer: that leads to a record somewhere in the frame.
	Blind bool
}

// Start returns the state of a thread in a system call.
func Start(pc, sp, fp, lr uint64) State {
	return State{PC: pc, SP: sp, FP: fp, LR: lr, Call: true, Fresh: true}
}

// snapshotBelow is how far below SP a frame keeps something: Go on arm64 has the
// record that the frame pointer leads to there.
const snapshotBelow = 16

// SnapshotBase returns where the kernel side begins to copy the stack of a frame
// with the given SP.
func SnapshotBase(sp uint64) uint64 {
	if sp%4096 >= snapshotBelow {
		return sp - snapshotBelow
	}
	return sp
}
