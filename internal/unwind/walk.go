package unwind

import "strconv"

// MaxFrames is how many frames a stack has at most.
const MaxFrames = 127

// Limits on a guess.
const (
	lowest        = 4096    // below it there is no code
	maxFrameBytes = 8 << 20 // no honest frame is larger
)

// A Stop is why a walk ended. The values are those of enum stop in
// bpf/unwind.h.
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
}

// Start returns the state of a thread in a system call.
func Start(pc, sp, fp, lr uint64) State {
	return State{PC: pc, SP: sp, FP: fp, LR: lr, Call: true, Fresh: true}
}

// A Code is an executable mapping. Without a Table its code is generated, and
// is walked by frame pointers.
type Code struct {
	Table *Table
	Bias  uint64 // what to subtract from an address for Table.Find
}

// A Walker walks stacks of one address space. It is the model of the kernel
// side's.
type Walker struct {
	Infos *Infos
	// ARM says that the machine is arm64; else it is x86-64.
	ARM bool
	// Mask is and-ed to return addresses; arm64 signs them. 0 means all bits.
	Mask uint64
	// Find returns the executable mapping that holds an address.
	Find func(pc uint64) (Code, bool)
	// Read returns the word at an address.
	Read func(addr uint64) (uint64, bool)
}

// A Stack is what a walk found.
type Stack struct {
	Frames []uint64 // addresses as they are in the registers and on the stack, leaf first
	Stop   Stop
	// Guessed is how many frames were left by a frame pointer of which nobody
	// said that it is one.
	Guessed int
	// Last is the state that the walk could not leave.
	Last State
}

// Walk goes up the stack from s until it has to stop. Frames found before are
// given in frames, to which it appends: if the last of them is that of s, it is
// not added again.
func (w *Walker) Walk(s State, frames []uint64) Stack {
	out := Stack{Frames: frames, Last: s}
	if n := len(frames); n > 0 && frames[n-1] == s.PC {
		out.Frames = frames[:n-1]
	}
	for range MaxFrames + 1 {
		if out.Stop = w.step(&out); out.Stop != StopNone {
			break
		}
	}
	return out
}

// step adds the frame of out.Last and goes on to its caller's.
func (w *Walker) step(out *Stack) Stop {
	s := &out.Last
	if s.PC < lowest {
		return StopZero
	}
	pc := s.PC
	if s.Call {
		pc--
	}
	code, ok := w.Find(pc)
	if !ok {
		return StopNoMap
	}
	if len(out.Frames) >= MaxFrames {
		return StopMax
	}
	out.Frames = append(out.Frames, s.PC)
	if code.Table == nil {
		return w.guess(out)
	}
	x, _ := code.Table.Find(pc - code.Bias)
	switch in := w.Infos.At(x); in.Kind {
	case Gap:
		return w.guess(out)
	case Reg, PLT, Deref:
		return w.leave(s, &in, pc)
	case Signal:
		return w.signal(s)
	case Root:
		return StopRoot
	case FramePointer:
		return w.chained(s)
	}
	return StopUnsupported
}

// leave goes to the caller by rule in.
func (w *Walker) leave(s *State, in *Info, pc uint64) Stop {
	cfa, ra := s.SP, int64(in.Off2)
	if in.Base == FP {
		cfa = s.FP
	}
	switch in.Kind {
	case Reg:
		cfa += uint64(int64(in.Off))
	case PLT:
		cfa = s.SP + 8
		if pc&15 >= uint64(in.Off) {
			cfa += 8
		}
	case Deref:
		v, ok := w.Read(cfa + uint64(int64(in.Off)))
		if !ok {
			return StopFault
		}
		cfa, ra = v+uint64(int64(in.Off2)), -8
	}
	fp, ok := w.callersFP(s, in, cfa)
	if !ok {
		return StopFault
	}
	back := s.LR
	if in.Link != 0 {
		if !s.Fresh {
			return StopUnsupported
		}
	} else if back, ok = w.Read(cfa + uint64(ra)); !ok {
		return StopFault
	}
	w.enter(s, back, cfa, fp)
	return StopNone
}

// callersFP returns the frame pointer of the caller.
func (w *Walker) callersFP(s *State, in *Info, cfa uint64) (uint64, bool) {
	switch in.FP {
	case FPAtCFA:
		return w.Read(cfa + uint64(int64(in.FPOff)))
	case FPAtFP:
		return w.Read(s.FP + uint64(int64(in.FPOff)))
	case FPLost:
		return 0, true
	}
	return s.FP, true
}

// enter makes s the state of a caller, whose address is yet to be stripped of
// its signature.
func (w *Walker) enter(s *State, pc, sp, fp uint64) {
	if w.Mask != 0 {
		pc &= w.Mask
	}
	*s = State{PC: pc, SP: sp, FP: fp, Call: true}
}

// signal goes to what a signal interrupted.
func (w *Walker) signal(s *State) Stop {
	at := &amd64.signal
	if w.ARM {
		at = &arm64.signal
	}
	fp, ok1 := w.Read(s.SP + at.fp)
	sp, ok2 := w.Read(s.SP + at.sp)
	pc, ok3 := w.Read(s.SP + at.pc)
	lr, ok4 := uint64(0), true
	if w.ARM {
		lr, ok4 = w.Read(s.SP + at.lr)
	}
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return StopFault
	}
	*s = State{PC: pc, SP: sp, FP: fp, LR: lr, Fresh: true}
	return StopNone
}

// chained goes to the caller of a function that keeps frame pointers. Go makes
// system calls in assembly without a frame.
func (w *Walker) chained(s *State) Stop {
	if !s.Fresh || !s.Call {
		return w.follow(s)
	}
	if w.ARM {
		w.enter(s, s.LR, s.SP, s.FP)
		return StopNone
	}
	back, ok := w.Read(s.SP)
	if !ok {
		return StopFault
	}
	w.enter(s, back, s.SP+8, s.FP)
	return StopNone
}

// guess goes to the caller by the frame pointer, if that can be one.
func (w *Walker) guess(out *Stack) Stop {
	s := &out.Last
	if s.FP != 0 && (s.FP < s.SP || s.FP-s.SP > maxFrameBytes) {
		return StopGap
	}
	stop := w.follow(s)
	if stop == StopNone {
		out.Guessed++
	}
	return stop
}

// follow goes to the caller by the frame pointer.
func (w *Walker) follow(s *State) Stop {
	if s.FP == 0 {
		return StopFPEnd
	}
	if s.FP&7 != 0 {
		return StopGap
	}
	fp, ok1 := w.Read(s.FP)
	back, ok2 := w.Read(s.FP + 8)
	if !ok1 || !ok2 {
		return StopFault
	}
	w.enter(s, back, s.FP+16, fp)
	return StopNone
}
