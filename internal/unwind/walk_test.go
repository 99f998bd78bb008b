package unwind

import (
	"debug/elf"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A scene is made-up code and a made-up stack.
type scene struct {
	table *Table
	infos *Infos
	words map[uint64]uint64
}

const bias = 0x7f0000000000

// newScene has the functions that make writes, as a mapping of the size of the
// text of 256 KiB, and generated code right behind it.
func newScene(t *testing.T, m elf.Machine, ra byte, code []byte, make func(w *frameWriter)) *scene {
	t.Helper()
	w := frameWriter{}
	w.common("", nil, ra, code...)
	make(&w)
	s := &scene{infos: NewInfos(), words: map[uint64]uint64{}}
	var err error
	if s.table, err = buildBytes(makeELF(m, 0x40000, w.b), s.infos); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) walker() *Walker {
	return &Walker{
		Infos: s.infos,
		ARM:   s.table.arch == &arm64,
		Find: func(pc uint64) (Code, bool) {
			switch pc -= bias; {
			case pc >= textAt && pc < textAt+0x40000:
				return Code{s.table, bias}, true
			case pc >= textAt+0x40000 && pc < textAt+0x50000:
				return Code{}, true
			}
			return Code{}, false
		},
		Read: func(addr uint64) (uint64, bool) { v, ok := s.words[addr]; return v, ok },
	}
}

// Functions of the scene on x86-64, by their offset in the text.
func amd64Functions(w *frameWriter) {
	w.function(0x10100, 0x100)                                                           // frameless
	w.function(0x10200, 0x100, opDefCFAOff, 32, opOffset|6, 2)                           // 24 bytes, with rbp saved
	w.function(0x10300, 0x100, opUndefined, 16)                                          // root
	w.function(0x10500, 0x100, opDefCFA, 10, 0)                                          // unsupported
	w.function(0x10600, 0x100, opDefCFAExpr, 3, 0x76, 0x78, 0x06, opExpr, 6, 2, 0x76, 0) // realigned
	w.function(0x10700, 0x100, opDefCFA, 6, 16, opOffset|6, 2)                           // by rbp
	w.common("zS", nil, 16, start...)
	w.function(0x107ff+0x801, 0x100)
}

const (
	pc      = bias + textAt
	stackAt = 0x7ffc00001000
)

// TestWalk has a stack for each way to go on and each reason to stop.
func TestWalk(t *testing.T) {
	for _, c := range []struct {
		name    string
		start   State
		words   map[uint64]uint64
		frames  []uint64
		stop    Stop
		guessed int
	}{
		{"rules lead to the root; a return address right behind a function belongs to it",
			Start(pc+0x110, stackAt, 1, 0),
			map[uint64]uint64{stackAt: pc + 0x300, stackAt + 24: 77, stackAt + 32: pc + 0x350, stackAt + 24 - 8: 5},
			[]uint64{pc + 0x110, pc + 0x300, pc + 0x350}, StopRoot, 0},
		{"a realigned frame, and then one by the rbp that it kept",
			Start(pc+0x610, stackAt, stackAt+64, 0),
			map[uint64]uint64{stackAt + 56: stackAt + 128, stackAt + 120: pc + 0x720, stackAt + 64: stackAt + 256, stackAt + 256: 9, stackAt + 264: pc + 0x301},
			[]uint64{pc + 0x610, pc + 0x720, pc + 0x301}, StopRoot, 0},
		{"behind a signal's frame the address is that of the instruction itself",
			Start(pc+0x1010, stackAt, 1, 0),
			map[uint64]uint64{stackAt + 40 + 80: 3, stackAt + 40 + 120: stackAt + 0x1000, stackAt + 40 + 128: pc + 0x100, stackAt + 0x1000: 0},
			[]uint64{pc + 0x1010, pc + 0x100}, StopZero, 0},
		{"generated code is walked by frame pointers, and they are guesses",
			Start(pc+0x40100, stackAt, stackAt+16, 0),
			map[uint64]uint64{stackAt + 16: stackAt + 48, stackAt + 24: pc + 0x40200, stackAt + 48: 0, stackAt + 56: pc + 0x40300},
			[]uint64{pc + 0x40100, pc + 0x40200, pc + 0x40300}, StopFPEnd, 2},
		{"so is a gap", Start(pc+0x480, stackAt, stackAt+16, 0),
			map[uint64]uint64{stackAt + 16: 0, stackAt + 24: pc + 0x301},
			[]uint64{pc + 0x480, pc + 0x301}, StopRoot, 1},
		{"not by one below the stack pointer", Start(pc+0x480, stackAt, stackAt-16, 0), nil, []uint64{pc + 0x480}, StopGap, 0},
		{"nor by one that is not aligned", Start(pc+0x480, stackAt, stackAt+4, 0), nil, []uint64{pc + 0x480}, StopGap, 0},
		{"nor by one that is far away", Start(pc+0x480, stackAt, stackAt+9<<20, 0), nil, []uint64{pc + 0x480}, StopGap, 0},
		{"a rule that is not understood", Start(pc+0x510, stackAt, 0, 0), nil, []uint64{pc + 0x510}, StopUnsupported, 0},
		{"memory that is not there", Start(pc+0x110, stackAt, 0, 0), nil, []uint64{pc + 0x110}, StopFault, 0},
		{"an address in no mapping", Start(pc+0x110, stackAt, 0, 0), map[uint64]uint64{stackAt: 0x12345678}, []uint64{pc + 0x110}, StopNoMap, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, elf.EM_X86_64, 16, start, amd64Functions)
			s.words = c.words
			got := s.walker().Walk(c.start, nil)
			if got.Stop != c.stop || got.Guessed != c.guessed || !cmp.Equal(got.Frames, c.frames) {
				t.Errorf("%v, %d guessed, %x, want %v, %d, %x", got.Stop, got.Guessed, got.Frames, c.stop, c.guessed, c.frames)
			}
		})
	}
}

// A walk ends at MaxFrames, and one that is taken up again repeats no frame.
func TestWalkMax(t *testing.T) {
	s := newScene(t, elf.EM_X86_64, 16, start, amd64Functions)
	for i := range uint64(1000) {
		s.words[stackAt+8*i] = pc + 0x110
	}
	got := s.walker().Walk(Start(pc+0x120, stackAt, 0, 0), nil)
	if got.Stop != StopMax || len(got.Frames) != MaxFrames {
		t.Errorf("%v with %d frames", got.Stop, len(got.Frames))
	}
	delete(s.words, stackAt+8*10)
	first := s.walker().Walk(Start(pc+0x120, stackAt, 0, 0), nil)
	s.words[stackAt+8*10] = pc + 0x310
	got = s.walker().Walk(first.Last, first.Frames)
	if first.Stop != StopFault || got.Stop != StopRoot || len(got.Frames) != 12 || got.Frames[0] != pc+0x120 || got.Frames[11] != pc+0x310 {
		t.Errorf("%v, then %v with %d frames: %x", first.Stop, got.Stop, len(got.Frames), got.Frames)
	}
}

// On arm64 a leaf's caller is in the link register, return addresses are
// signed, and a handler's frame brings the link register back.
func TestWalkArm64(t *testing.T) {
	const signed = 0x2a << 48
	s := newScene(t, elf.EM_AARCH64, 30, []byte{opDefCFA, 31, 0}, func(w *frameWriter) {
		w.function(0x10100, 0x100)
		w.function(0x10200, 0x100, opDefCFAOff, 64, opOffset|29, 8, opOffset|30, 7)
		w.function(0x10300, 0x100, opUndefined, 30)
		w.common("zS", nil, 30, opDefCFA, 31, 0)
		w.function(0x10400, 0x100)
	})
	w := s.walker()
	w.Mask = 1<<48 - 1
	const handler = stackAt + 64 + 312
	s.words = map[uint64]uint64{
		stackAt: stackAt + 64, stackAt + 8: signed | (pc + 0x404),
		handler + 29*8: 5, handler + 30*8: signed | (pc + 0x300), handler + 31*8: stackAt + 0x1000, handler + 32*8: pc + 0x100,
	}
	got := w.Walk(Start(pc+0x104, stackAt, stackAt, signed|(pc+0x204)), nil)
	want := []uint64{pc + 0x104, pc + 0x204, pc + 0x404, pc + 0x100, pc + 0x300}
	if got.Stop != StopFault || !cmp.Equal(got.Frames, want) {
		t.Errorf("%v: %x, want %x", got.Stop, got.Frames, want)
	}
	// A second leaf cannot have its caller in the same register.
	got = w.Walk(Start(pc+0x104, stackAt, stackAt, pc+0x108), nil)
	if got.Stop != StopUnsupported || len(got.Frames) != 2 {
		t.Errorf("%v: %x", got.Stop, got.Frames)
	}
	// A frame pointer does not tell where the frame ends: what the next rule says
	// of the stack pointer cannot be followed, until one goes by x29 again.
	s.words = map[uint64]uint64{
		stackAt + 32: stackAt + 64, stackAt + 40: pc + 0x204,
		stackAt + 64: stackAt + 128, stackAt + 72: pc + 0x350,
	}
	got = w.Walk(Start(pc+0x40100, stackAt, stackAt+32, 0), nil)
	want = []uint64{pc + 0x40100, pc + 0x204, pc + 0x350}
	if got.Stop != StopRoot || got.Guessed != 2 || !cmp.Equal(got.Frames, want) {
		t.Errorf("%v, %d guessed: %x, want %x", got.Stop, got.Guessed, got.Frames, want)
	}
}
