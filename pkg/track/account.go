package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// An Account sums up what one call path did.
type Account struct {
	Mapped, Unmapped       uint64 // bytes
	MappedCount, GoneCount uint64 // mappings made, and mappings gone altogether
	Closed                 uint64 // bytes of what is left that are PROT_NONE
	// Freed are the lifetimes of the mappings that are gone.
	Freed verdict.Lifetimes

	points []point // in the order of time
	shift  uint8   // a point stands for 1<<shift steps
}

// An AccountKey names an Account.
type AccountKey struct {
	Space event.SpaceID
	Stack stack.ID
	Kind  event.Kind
}

// A point is the level of an account at the end of a step of time.
type point struct {
	step        uint32
	count       uint32 // mappings; there are never 2^32 of a process
	level, open uint64 // bytes
}

const (
	levelStep = event.Time(100e6) // ns
	maxPoints = 512
)

// Outstanding returns how many bytes of the path are left.
func (a *Account) Outstanding() uint64 { return a.Mapped - min(a.Unmapped, a.Mapped) }

// Open returns how many bytes of the path are left and accessible.
func (a *Account) Open() uint64 { return a.Outstanding() - min(a.Closed, a.Outstanding()) }

// Count returns how many mappings of the path are left, whole or in part.
func (a *Account) Count() uint64 { return a.MappedCount - min(a.GoneCount, a.MappedCount) }

// note remembers the level at time t after the begin of the trace.
func (a *Account) note(t event.Time) {
	step := uint32(max(0, t)/levelStep) >> a.shift
	if n := len(a.points); n > 0 && a.points[n-1].step >= step {
		p := &a.points[n-1]
		p.level, p.open, p.count = a.Outstanding(), a.Open(), uint32(a.Count())
		return
	}
	if len(a.points) == maxPoints {
		a.thin()
		step >>= 1
	}
	a.points = append(a.points, point{step, uint32(a.Count()), a.Outstanding(), a.Open()})
}

// thin halves the resolution.
func (a *Account) thin() {
	out := a.points[:0]
	for _, p := range a.points {
		p.step >>= 1
		if n := len(out); n > 0 && out[n-1].step == p.step {
			out[n-1] = p
			continue
		}
		out = append(out, p)
	}
	a.points = out
	a.shift++
}

// Levels adds the bytes outstanding at the ends of len(into) equal parts of a
// window, which begins and ends at the given times after the begin of the trace,
// and to open, which is as long, those of them that are accessible.
func (a *Account) Levels(begin, end event.Time, into, open []uint64) {
	i := 0
	var last point
	for k := range into {
		at := begin + (end-begin)*event.Time(k+1)/event.Time(len(into))
		step := uint32(max(0, at)/levelStep) >> a.shift
		for i < len(a.points) && a.points[i].step <= step {
			last = a.points[i]
			i++
		}
		into[k] += last.level
		open[k] += last.open
	}
}

// At returns the bytes and mappings that were outstanding at a time after the
// begin of the trace: those at the nearest end of a step, which is off by 50 ms at
// most, and in long windows by 1/512 of what was traced.
func (a *Account) At(t event.Time) (bytes, count uint64) {
	length := levelStep << a.shift
	for _, p := range a.points {
		if event.Time(p.step+1)*length > t+length/2 {
			break
		}
		bytes, count = p.level, uint64(p.count)
	}
	return bytes, count
}
