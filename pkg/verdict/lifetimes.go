package verdict

import (
	"math/bits"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// buckets per power of two; a lifetime is known to within a quarter.
const (
	subBits  = 2
	nBuckets = (63 - subBits + 1) << subBits // of the positive times
)

// Lifetimes is a histogram of lifetimes in nanoseconds. The zero value is empty.
type Lifetimes struct {
	counts map[uint8]uint64
	n      uint64
}

// Add counts one lifetime.
func (l *Lifetimes) Add(t event.Time) {
	if l.counts == nil {
		l.counts = make(map[uint8]uint64)
	}
	l.counts[bucket(t)]++
	l.n++
}

// AddAll counts the lifetimes of o.
func (l *Lifetimes) AddAll(o *Lifetimes) {
	for b, n := range o.counts {
		if l.counts == nil {
			l.counts = make(map[uint8]uint64)
		}
		l.counts[b] += n
	}
	l.n += o.n
}

// Count returns the number of lifetimes.
func (l *Lifetimes) Count() uint64 { return l.n }

// Quantile returns a time that the share q of the lifetimes do not exceed, up to
// a quarter too long; 0 if there are none.
func (l *Lifetimes) Quantile(q float64) event.Time {
	want := uint64(q * float64(l.n))
	var seen uint64
	for b := range nBuckets {
		seen += l.counts[uint8(b)]
		if seen > 0 && seen >= want {
			return upper(uint8(b))
		}
	}
	return 0
}

// Survival returns the Kaplan-Meier estimate of the share of mappings that live
// longer than t, given the ages of those that still live, ascending.
func (l *Lifetimes) Survival(ages []event.Time, t event.Time) float64 {
	atRisk := float64(l.n) + float64(len(ages))
	s := 1.0
	i := 0
	for b := range nBuckets {
		died := float64(l.counts[uint8(b)])
		if died == 0 {
			continue
		}
		end := upper(uint8(b))
		if end > t {
			break
		}
		for i < len(ages) && bucket(ages[i]) < uint8(b) { // at one time deaths come first
			atRisk--
			i++
		}
		if atRisk > 0 {
			s *= 1 - died/atRisk
		}
		atRisk -= died
	}
	return s
}

// bucket returns the bucket of t: its power of two and the two bits below.
func bucket(t event.Time) uint8 {
	v := uint64(max(t, 0))
	if v < 1<<subBits {
		return uint8(v)
	}
	e := bits.Len64(v) - 1 - subBits
	return uint8((e+1)<<subBits | int(v>>e)&(1<<subBits-1))
}

// upper returns the greatest time in bucket b.
func upper(b uint8) event.Time {
	if b < 1<<subBits {
		return event.Time(b)
	}
	e := int(b>>subBits) - 1
	low := uint64(1<<subBits|int(b)&(1<<subBits-1)) << e
	return event.Time(min(low+1<<e-1, 1<<63-1))
}
