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
	level, open uint64
}

const (
	levelStep = event.Time(100e6) // ns
	maxPoints = 512
)

// Outstanding returns how many bytes of the path are left.
func (a *Account) Outstanding() uint64 { return a.Mapped - min(a.Unmapped, a.Mapped) }

// Open returns how many bytes of the path are left and accessible.
func (a *Account) Open() uint64 { return a.Outstanding() - min(a.Closed, a.Outstanding()) }

// note remembers the level at time t after the begin of the trace.
func (a *Account) note(t event.Time) {
	step := uint32(max(0, t)/levelStep) >> a.shift
	if n := len(a.points); n > 0 && a.points[n-1].step >= step {
		a.points[n-1].level, a.points[n-1].open = a.Outstanding(), a.Open()
		return
	}
	if len(a.points) == maxPoints {
		a.thin()
		step >>= 1
	}
	a.points = append(a.points, point{step, a.Outstanding(), a.Open()})
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
