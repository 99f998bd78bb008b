package event

import (
	"math/rand/v2"

	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A dice makes random events: small numbers and edges, often zero.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func (d dice) number() uint64 {
	switch d.IntN(6) {
	case 0, 1:
		return 0
	case 2:
		return d.Uint64N(10)
	case 3:
		return d.Uint64N(1<<35) << 12
	case 4:
		return ^uint64(0) - d.Uint64N(3)
	}
	return d.Uint64()
}

func (d dice) word() string {
	return []string{"", "x", "[heap]", "/usr/lib/a b.so", "na\"me\\", "line\n\x00\xff", "[ 17]", "# no", "=", "ü"}[d.IntN(10)]
}

// event returns an event of any kind with any fields.
func (d dice) event() Event {
	ev := Event{
		Kind: Kind(1 + d.IntN(int(numKinds)-1)), Marks: Mark(d.number()), Space: SpaceID(d.IntN(4)),
		Seq: d.number(), After: d.number(), Time: Time(d.number()), TotalVM: d.number(), Brk: d.number(),
		PID: PID(d.number()), TID: TID(d.number()), Ret: int64(d.number()), Aux: d.number(),
		Stack: stack.ID(d.number()), Lost: d.number(), Parent: SpaceID(d.number()), ParentSeq: d.number(),
		Name: d.word(), From: d.number(), To: d.number(),
	}
	for i := range ev.Args {
		ev.Args[i] = d.number()
	}
	for range d.IntN(4) {
		ev.Frames = append(ev.Frames, d.number())
	}
	for range d.IntN(4) {
		ev.Regions = append(ev.Regions, Region{
			Range: interval.Range{Start: d.number(), End: d.number()}, Prot: Prot(d.IntN(256)),
			Shared: d.IntN(2) == 0, Offset: d.number(), Dev: d.number(), Inode: d.number(), Path: d.word(),
		})
	}
	return ev
}
