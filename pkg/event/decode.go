package event

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// ErrShort means that a record of the kernel side ends too early.
var ErrShort = errors.New("record too short")

// Sizes in bytes of the kernel side's records (bpf/record.h).
const (
	recordSize      = 144
	stackHeaderSize = 24
	copyHeaderSize  = 64
	codeHeaderSize  = 80
	maxFrames       = 127
)

// Decode reads one record of the kernel side (struct record, stack_record,
// stack_copy or code_record in bpf/record.h, little-endian) into ev, which it
// overwrites. Frames, copies and code are newly allocated. Errors: ErrShort, or an
// unknown kind.
func Decode(b []byte, ev *Event) error {
	if len(b) < 4 {
		return ErrShort
	}
	kind := binary.LittleEndian.Uint32(b)
	switch {
	case kind == uint32(StackDef):
		return decodeStack(b, ev)
	case kind == uint32(StackCopy):
		return decodeCopy(b, ev)
	case kind == uint32(NewCode):
		return decodeCode(b, ev)
	case kind == 0 || kind > uint32(End) && kind < uint32(ShmGet) || kind > uint32(Dup):
		return fmt.Errorf("decoding a record: unknown kind %d", kind)
	case len(b) < recordSize:
		return ErrShort
	}
	le := binary.LittleEndian
	*ev = Event{
		Kind:    Kind(kind),
		Marks:   Mark(le.Uint32(b[4:])),
		Seq:     le.Uint64(b[8:]),
		After:   le.Uint64(b[16:]),
		Time:    Time(le.Uint64(b[24:])),
		TotalVM: le.Uint64(b[32:]),
		Brk:     le.Uint64(b[40:]),
		Ret:     int64(le.Uint64(b[96:])),
		Aux:     le.Uint64(b[104:]),
		Stack:   stack.ID(le.Uint64(b[112:])),
		Lost:    le.Uint64(b[120:]),
		Space:   SpaceID(le.Uint32(b[128:])),
		PID:     PID(le.Uint32(b[136:])),
		TID:     TID(le.Uint32(b[140:])),
	}
	for i := range ev.Args {
		ev.Args[i] = le.Uint64(b[48+8*i:])
	}
	if ev.Seq != 0 {
		ev.After = 0
	}
	if ev.Kind == Mmap {
		ev.Args[4] = uint64(int64(int32(ev.Args[4]))) // the descriptor is an int
	}
	if ev.Kind == Fork || ev.Kind == Exec {
		ev.Name = cString(b[48:64])
		ev.Args = [6]uint64{}
		ev.Parent = SpaceID(le.Uint32(b[132:]))
		ev.ParentSeq, ev.After = ev.After, 0
	}
	return nil
}

func decodeStack(b []byte, ev *Event) error {
	if len(b) < stackHeaderSize {
		return ErrShort
	}
	le := binary.LittleEndian
	n := le.Uint32(b[20:])
	if n > maxFrames || len(b) < stackHeaderSize+8*int(n) {
		return ErrShort
	}
	*ev = Event{
		Kind:  StackDef,
		Stack: stack.ID(le.Uint64(b[8:])),
		Space: SpaceID(le.Uint32(b[16:])),
		Aux:   uint64(le.Uint32(b[4:])),
	}
	ev.Frames = make([]uint64, n)
	for i := range ev.Frames {
		ev.Frames[i] = le.Uint64(b[stackHeaderSize+8*i:])
	}
	return nil
}

func decodeCopy(b []byte, ev *Event) error {
	if len(b) < copyHeaderSize {
		return ErrShort
	}
	le := binary.LittleEndian
	n := le.Uint32(b[4:])
	if uint64(len(b)) < copyHeaderSize+uint64(n) {
		return ErrShort
	}
	*ev = Event{
		Kind:  StackCopy,
		Stack: stack.ID(le.Uint64(b[8:])),
		Copy: &Copy{
			PC: le.Uint64(b[16:]), SP: le.Uint64(b[24:]), FP: le.Uint64(b[32:]), LR: le.Uint64(b[40:]),
			Call: le.Uint32(b[48:]) != 0, Fresh: le.Uint32(b[52:]) != 0, Blind: le.Uint32(b[56:]) != 0,
			Data: bytes.Clone(b[copyHeaderSize:][:n]),
		},
	}
	return nil
}

func decodeCode(b []byte, ev *Event) error {
	if len(b) < codeHeaderSize {
		return ErrShort
	}
	le := binary.LittleEndian
	n := le.Uint32(b[72:])
	if uint64(len(b)) < codeHeaderSize+uint64(n) {
		return ErrShort
	}
	dev := le.Uint32(b[68:])
	*ev = Event{
		Kind:  NewCode,
		Space: SpaceID(le.Uint32(b[4:])),
		Lost:  le.Uint64(b[8:]),
		Code: &Code{
			Range: interval.Range{Start: le.Uint64(b[16:]), End: le.Uint64(b[24:])},
			Page:  le.Uint64(b[32:]),
			File: FileID{
				Dev: uint64(dev>>20)<<32 | uint64(dev&(1<<20-1)), Inode: le.Uint64(b[40:]), Size: le.Uint64(b[48:]),
				Modified: int64(le.Uint64(b[56:]))*1e9 + int64(le.Uint32(b[64:])),
			},
			Name: pathOf(b[codeHeaderSize:][:n]),
		},
	}
	return nil
}

// pathOf returns the path of a file whose names, from its own up to below the root,
// end with a zero byte each; "" if there are none.
func pathOf(names []byte) string {
	var path []byte
	for len(names) > 0 {
		names = names[:len(names)-1]
		i := bytes.LastIndexByte(names, 0) + 1
		path = append(append(path, '/'), names[i:]...)
		names = names[:i]
	}
	return string(path)
}

// cString returns b up to its first zero byte.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
