package unwind

// MaxFrames is how many frames a stack has at most.
const MaxFrames = 127

// Limits on a guess.
const (
	lowest        = 4096    // below it there is no code
	maxFrameBytes = 8 << 20 // no honest frame is larger
)

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
	// BehindCall reports whether the instruction before an address is a call. It
	// may be nil.
	BehindCall func(pc uint64) bool
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
		if s.Blind && in.Base == SP {
			return w.guess(out)
		}
		return w.leave(s, &in, pc)
	case Signal:
		if s.Blind {
			return w.guess(out)
		}
		return w.signal(s)
	case Root:
		return StopRoot
	case FramePointer:
		return w.chained(s)
	case Switch:
		if s.Blind {
			return w.guess(out)
		}
		return w.switched(s)
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
	if w.leaveLeaf(s) {
		out.Guessed++
		return StopNone
	}
	if s.FP != 0 && (s.FP < s.SP || s.FP-s.SP > maxFrameBytes) {
		return StopGap
	}
	stop := w.follow(s)
	if stop == StopNone {
		out.Guessed++
	}
	return stop
}

// leaveLeaf goes to the caller of a leaf that makes a system call and of whose
// frame nothing is known. Wrappers keep none: what lies at SP, if it follows a
// call, is the way back.
func (w *Walker) leaveLeaf(s *State) bool {
	if !s.Fresh || !s.Call {
		return false
	}
	if w.ARM {
		if s.LR < lowest {
			return false
		}
		w.enter(s, s.LR, s.SP, s.FP)
		return true
	}
	back, ok := w.Read(s.SP)
	if !ok || w.BehindCall == nil || !w.BehindCall(back) {
		return false
	}
	w.enter(s, back, s.SP+8, s.FP)
	return true
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
	s.Blind = w.ARM
	return StopNone
}
