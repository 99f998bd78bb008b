package event

import (
	"errors"
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// ErrMalformed means that bytes are not an event in the binary form.
var ErrMalformed = errors.New("malformed event")

// A Decoder reads the binary form back. The zero Decoder is ready. It never
// takes more memory than a fixed multiple of the bytes that it is given.
type Decoder struct {
	memory
	names map[string]string
	in    input
}

// Decode reads the first event of b into ev, which it overwrites, and returns
// how many bytes it took. Slices in ev are newly allocated. After an error, an
// ErrMalformed, the Decoder is of no use any more.
func (d *Decoder) Decode(b []byte, ev *Event) (int, error) {
	d.in = input{rest: b}
	in := &d.in
	kind := Kind(in.byte())
	f := in.uvarint()
	if !kind.Recorded() || f > knownFields {
		return 0, fmt.Errorf("decoding kind %d with fields %#x: %w", kind, f, ErrMalformed)
	}
	d.time += Time(in.varint())
	*ev = Event{Kind: kind, Time: d.time}
	var slot byte
	if f&hasKnownStack != 0 {
		slot = in.byte()
		ev.Stack = stack.ID(d.stacks[slot])
	}
	var pages int64
	if f&hasTotalVM != 0 {
		pages = in.varint()
	}
	d.call(ev, f)
	if f&hasThread != 0 {
		d.pid, d.tid = PID(in.narrow()), TID(in.narrow())
	}
	if f&hasBrk != 0 {
		d.brk += uint64(in.varint())
	}
	var after int64
	if f&hasAfter != 0 {
		after = in.varint()
	}
	if f&hasSpace != 0 {
		d.space = SpaceID(in.narrow())
	}
	ev.Space, ev.PID, ev.TID, ev.Brk = d.space, d.pid, d.tid, d.brk
	d.place(ev, f, pages, after)
	if f >= hasAux {
		d.rare(ev, f)
	}
	ev.Lost = d.lost
	if in.bad {
		return 0, fmt.Errorf("decoding a record of kind %s: %w", kind, ErrMalformed)
	}
	return len(b) - len(in.rest), nil
}

// call reads the arguments and the result of a call.
func (d *Decoder) call(ev *Event, f uint64) {
	if f&hasArg0 != 0 {
		d.address += uint64(d.in.varint())
		ev.Args[0] = d.address
	}
	for i := 1; i < len(ev.Args); i++ {
		if f&(hasArg0<<i) != 0 {
			ev.Args[i] = uint64(d.in.varint())
		}
	}
	if f&hasRet != 0 {
		ev.Ret = d.in.varint()
	}
	if f&hasAddress != 0 {
		d.address += uint64(d.in.varint())
		ev.Ret = int64(d.address)
	}
}

// place reads the marks and sets what is told relative to the newest event of
// the space.
func (d *Decoder) place(ev *Event, f uint64, pages, after int64) {
	p := &d.spaces[ev.Space%16]
	if f&hasTotalVM != 0 {
		p.totalVM += uint64(pages)
		ev.TotalVM = p.totalVM
	}
	if f&hasAfter != 0 {
		ev.After = p.seq + uint64(after)
	}
	if f&hasMarks != 0 {
		ev.Marks = Mark(d.in.upTo(1<<16 - 1))
	}
	switch {
	case f&hasNextSeq != 0:
		ev.Seq = p.seq + 1
	case f&hasSeq != 0:
		ev.Seq = p.seq + uint64(d.in.varint())
	}
	if ev.Seq != 0 {
		p.seq = ev.Seq
	}
	if f&hasStack != 0 {
		ev.Stack = stack.ID(d.in.fixed64())
		d.stacks[byte(ev.Stack)] = uint64(ev.Stack)
	}
}

// rare reads the fields that few events have.
func (d *Decoder) rare(ev *Event, f uint64) {
	in := &d.in
	if f&hasAux != 0 {
		ev.Aux = in.uvarint()
	}
	if f&hasLost != 0 {
		d.lost = in.uvarint()
	}
	if f&hasParent != 0 {
		ev.Parent, ev.ParentSeq = SpaceID(in.narrow()), in.uvarint()
	}
	if f&hasName != 0 {
		ev.Name = d.name()
	}
	if f&hasFrames != 0 {
		ev.Frames = d.frames()
	}
	if f&hasReading != 0 {
		ev.From, ev.To = in.uvarint(), in.uvarint()
	}
	if f&hasRegions != 0 {
		ev.Regions = d.regions()
	}
}

func (d *Decoder) frames() []uint64 {
	n := d.in.count(1)
	if n == 0 {
		return nil
	}
	frames := make([]uint64, n)
	var last uint64
	for i := range frames {
		last += uint64(d.in.varint())
		frames[i] = last
	}
	return frames
}

func (d *Decoder) regions() []Region {
	n := d.in.count(4)
	if n == 0 {
		return nil
	}
	regions := make([]Region, n)
	var end uint64
	var path string
	for i := range regions {
		r := &regions[i]
		r.Prot = Prot(d.in.byte())
		f := d.in.byte()
		if f > knownRegionFields {
			d.in.bad = true
		}
		r.Shared = f&regionShared != 0
		start := end + uint64(d.in.varint())
		end = start + uint64(d.in.varint())
		r.Range = interval.Range{Start: start, End: end}
		if f&regionOffset != 0 {
			r.Offset = d.in.uvarint()
		}
		if f&regionFile != 0 {
			r.Dev, r.Inode = d.in.uvarint(), d.in.uvarint()
		}
		if f&regionPath != 0 {
			path = d.name()
		}
		if f&(regionPath|regionSamePath) != 0 {
			r.Path = path
		}
	}
	return regions
}

// name reads a string; equal ones share their bytes.
func (d *Decoder) name() string {
	b := d.in.take(d.in.count(1))
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	if d.names == nil {
		d.names = make(map[string]string)
	}
	s := string(b)
	d.names[s] = s
	return s
}
