package event

import "encoding/binary"

// An Encoder writes events in the binary form, each as the difference from
// those before it:
//
//	kind    byte
//	fields  uvarint  a bit for each field that follows
//	time    varint   since the event before
//	...
//
// A field that is absent is zero, or for Space, PID, TID, Brk and Lost as in the
// event before. docs/recording.md has the whole of it. A Decoder that began at
// the same event reads them back. The zero Encoder is ready.
type Encoder struct{ memory }

// Append adds ev, whose kind must be Recorded, to dst and returns the longer
// slice.
func (e *Encoder) Append(dst []byte, ev *Event) []byte {
	p := &e.spaces[ev.Space%16]
	f := e.fields(ev, p)
	dst = append(dst, byte(ev.Kind))
	dst = binary.AppendUvarint(dst, f)
	dst = binary.AppendVarint(dst, int64(ev.Time-e.time))
	e.time = ev.Time
	if f&hasKnownStack != 0 {
		dst = append(dst, byte(ev.Stack))
	}
	if f&hasTotalVM != 0 {
		dst = appendDelta(dst, ev.TotalVM, p.totalVM)
		p.totalVM = ev.TotalVM
	}
	dst = e.appendCall(dst, ev, f)
	if f&hasThread != 0 {
		dst = binary.AppendUvarint(dst, uint64(ev.PID))
		dst = binary.AppendUvarint(dst, uint64(ev.TID))
		e.pid, e.tid = ev.PID, ev.TID
	}
	if f&hasBrk != 0 {
		dst = appendDelta(dst, ev.Brk, e.brk)
		e.brk = ev.Brk
	}
	if f&hasAfter != 0 {
		dst = appendDelta(dst, ev.After, p.seq)
	}
	if f >= hasSpace {
		dst = e.appendRare(dst, ev, f, p)
	}
	if ev.Seq != 0 {
		p.seq = ev.Seq
	}
	return dst
}

// fields returns which fields of ev have to be written.
func (e *Encoder) fields(ev *Event, p *place) uint64 {
	var f uint64
	switch {
	case ev.Seq == 0:
	case ev.Seq == p.seq+1:
		f |= hasNextSeq
	default:
		f |= hasSeq
	}
	switch {
	case ev.Stack == 0:
	case e.stacks[byte(ev.Stack)] == uint64(ev.Stack):
		f |= hasKnownStack
	default:
		f |= hasStack
	}
	if ev.PID != e.pid || ev.TID != e.tid {
		f |= hasThread
	}
	for i, a := range ev.Args {
		f |= when(a != 0, hasArg0<<i)
	}
	switch {
	case ev.Ret == 0:
	case ev.Ret > 1<<16:
		f |= hasAddress
	default:
		f |= hasRet
	}
	return f | when(ev.TotalVM != 0, hasTotalVM) | when(ev.Brk != e.brk, hasBrk) |
		when(ev.After != 0, hasAfter) | when(ev.Space != e.space, hasSpace) |
		when(ev.Marks != 0, hasMarks) | when(ev.Aux != 0, hasAux) | when(ev.Lost != e.lost, hasLost) |
		when(ev.Parent != 0 || ev.ParentSeq != 0, hasParent) | when(ev.Name != "", hasName) |
		when(len(ev.Frames) > 0, hasFrames) | when(ev.From != 0 || ev.To != 0, hasReading) |
		when(len(ev.Regions) > 0, hasRegions)
}

func when(cond bool, bit uint64) uint64 {
	if cond {
		return bit
	}
	return 0
}

// appendCall adds the arguments and the result of a call.
func (e *Encoder) appendCall(dst []byte, ev *Event, f uint64) []byte {
	if f&hasArg0 != 0 {
		dst = appendDelta(dst, ev.Args[0], e.address)
		e.address = ev.Args[0]
	}
	for i := 1; i < len(ev.Args); i++ {
		if f&(hasArg0<<i) != 0 {
			dst = binary.AppendVarint(dst, int64(ev.Args[i]))
		}
	}
	if f&hasRet != 0 {
		dst = binary.AppendVarint(dst, ev.Ret)
	}
	if f&hasAddress != 0 {
		dst = appendDelta(dst, uint64(ev.Ret), e.address)
		e.address = uint64(ev.Ret)
	}
	return dst
}

// appendRare adds the fields that few events have.
func (e *Encoder) appendRare(dst []byte, ev *Event, f uint64, p *place) []byte {
	if f&hasSpace != 0 {
		dst = binary.AppendUvarint(dst, uint64(ev.Space))
		e.space = ev.Space
	}
	if f&hasMarks != 0 {
		dst = binary.AppendUvarint(dst, uint64(ev.Marks))
	}
	if f&hasSeq != 0 {
		dst = appendDelta(dst, ev.Seq, p.seq)
	}
	if f&hasStack != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(ev.Stack))
		e.stacks[byte(ev.Stack)] = uint64(ev.Stack)
	}
	if f&hasAux != 0 {
		dst = binary.AppendUvarint(dst, ev.Aux)
	}
	if f&hasLost != 0 {
		dst = binary.AppendUvarint(dst, ev.Lost)
		e.lost = ev.Lost
	}
	if f&hasParent != 0 {
		dst = binary.AppendUvarint(dst, uint64(ev.Parent))
		dst = binary.AppendUvarint(dst, ev.ParentSeq)
	}
	if f&hasName != 0 {
		dst = appendBytes(dst, ev.Name)
	}
	if f&hasFrames != 0 {
		dst = appendFrames(dst, ev.Frames)
	}
	if f&hasReading != 0 {
		dst = binary.AppendUvarint(dst, ev.From)
		dst = binary.AppendUvarint(dst, ev.To)
	}
	if f&hasRegions != 0 {
		dst = appendRegions(dst, ev.Regions)
	}
	return dst
}

func appendFrames(dst []byte, frames []uint64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(frames)))
	var last uint64
	for _, pc := range frames {
		dst = appendDelta(dst, pc, last)
		last = pc
	}
	return dst
}

func appendRegions(dst []byte, regions []Region) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(regions)))
	var end uint64
	var path string
	for i := range regions {
		r := &regions[i]
		f := when(r.Shared, regionShared) | when(r.Offset != 0, regionOffset) |
			when(r.Dev != 0 || r.Inode != 0, regionFile)
		switch r.Path {
		case "":
		case path:
			f |= regionSamePath
		default:
			f |= regionPath
		}
		dst = append(dst, byte(r.Prot), byte(f))
		dst = appendDelta(dst, r.Start, end)
		dst = appendDelta(dst, r.End, r.Start)
		end = r.End
		if f&regionOffset != 0 {
			dst = binary.AppendUvarint(dst, r.Offset)
		}
		if f&regionFile != 0 {
			dst = binary.AppendUvarint(dst, r.Dev)
			dst = binary.AppendUvarint(dst, r.Inode)
		}
		if f&regionPath != 0 {
			dst = appendBytes(dst, r.Path)
			path = r.Path
		}
	}
	return dst
}

func appendDelta(dst []byte, v, from uint64) []byte {
	return binary.AppendVarint(dst, int64(v-from))
}

func appendBytes(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
