package unwind

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/mmtrace/mmtrace/internal/symbol"
)

// called is how Go on arm64 calls a C function from a goroutine, the end of the
// first half of asmcgocall in runtime/asm_arm64.s:
//
//	MOVD	R4, 0(RSP)	// the goroutine, struct g
//	MOVD	8(R4), R4	// the upper end of its stack
//	SUB	R2, R4		// how far below that it has got
//	MOVD	R4, 8(RSP)
//	BL	(R1)
//
// R29 has been that of the scheduler's stack for a while. On x86-64 RBP stays that
// of the goroutine.
var called = words(0xf90003e4, 0xf9400484, 0xcb020084, 0xf90007e4, 0xd63f0020)

// callSize is the size of the last of these instructions in bytes.
const callSize = 4

// maxSwitch is how many bytes of asmcgocall are searched; it has 240.
const maxSwitch = 512

func words(w ...uint32) []byte {
	var b []byte
	for _, x := range w {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

// switches returns where asmcgocall, which is at start, calls C on another stack.
func (b *builder) switches(start uint64) (at uint64, ok bool) {
	if b.arch != &arm64 || b.content == nil {
		return 0, false
	}
	for _, s := range b.text {
		if start < s.Addr || start-s.Addr >= s.File || s.Off > 1<<62 {
			continue
		}
		code := make([]byte, min(maxSwitch, s.File-(start-s.Addr)))
		n, _ := b.content.ReadAt(code, int64(s.Off+start-s.Addr))
		if i := bytes.Index(code[:n], called); i >= 0 {
			return start + uint64(i+len(called)-callSize), true
		}
	}
	return 0, false
}

// A file is what rules are read from beside the tables.
type file struct {
	content io.ReaderAt
	text    []symbol.Segment
}

// switched goes from the scheduler's stack to that of the goroutine: to the frame
// record that lies right below its stack pointer.
func (w *Walker) switched(s *State) Stop {
	const stackEnd = 8 // in struct g: the upper end of its stack
	g, ok1 := w.Read(s.SP)
	depth, ok2 := w.Read(s.SP + 8)
	if !ok1 || !ok2 {
		return StopFault
	}
	end, ok := w.Read(g + stackEnd)
	if !ok {
		return StopFault
	}
	s.FP = end - depth - 8
	return w.follow(s)
}
