package unwind

import (
	"debug/elf"
	"fmt"
)

// An arch is what differs between machines. Registers have DWARF numbers.
type arch struct {
	sp, fp, ra uint64
	// initial are the rules before the first instruction. On arm64 the return
	// address stays in its register until it is said to be elsewhere.
	initial state
	link    bool
	// signal is where a handler's frame keeps the registers, from SP. The link
	// register's is 0 if there is none.
	signal struct{ fp, lr, sp, pc uint64 }
	// pushed is how many bytes a call pushes.
	pushed int32
	// crosscalls are frames of the function through which C calls Go, while it
	// does so: runtime/cgo/asm_*.s and abi_*.h. It is assembly, with a frame
	// pointer that leads nowhere.
	crosscalls []Info
}

var amd64 = arch{
	sp: 7, fp: 6, ra: 16, pushed: 8,
	crosscalls: []Info{
		// rbp, 6 words, 3 arguments
		{Kind: Reg, Off: 11 * 8, Off2: -8, FP: FPAtCFA, FPOff: -16},
		// flags, 28 words, of which rbp's is the third, 3 arguments
		{Kind: Reg, Off: 33 * 8, Off2: -8, FP: FPAtCFA, FPOff: (3+2)*8 - 33*8},
	},
}

var arm64 = arch{
	sp: 31, fp: 29, ra: 30, link: true,
	// 24 words, of which x29 and x30 have the last two
	crosscalls: []Info{{Kind: Reg, Off: 24 * 8, Off2: -8, FP: FPAtCFA, FPOff: -16}},
}

func init() {
	// struct rt_sigframe behind its return address: struct ucontext, of which
	// uc_mcontext is at 40; r8 comes first, then 9 registers up to rbp.
	s := &amd64.signal
	s.fp, s.sp, s.pc = 40+10*8, 40+15*8, 40+16*8
	// struct rt_sigframe: siginfo of 128 bytes, struct ucontext, of which
	// uc_mcontext is at 176, with the fault's address before the registers.
	s = &arm64.signal
	s.fp, s.lr, s.sp, s.pc = 312+29*8, 312+30*8, 312+31*8, 312+32*8
}

func archOf(m elf.Machine) (*arch, error) {
	switch m {
	case elf.EM_X86_64:
		return &amd64, nil
	case elf.EM_AARCH64:
		return &arm64, nil
	}
	return nil, fmt.Errorf("reading a file for %v: %w", m, ErrMachine)
}
