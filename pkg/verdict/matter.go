package verdict

import (
	"fmt"
	"strings"
)

// A Substance says what it is of which a path holds more and more.
type Substance string

const (
	// Memory may be touched.
	Memory Substance = ""
	// AddressSpace is reserved, or its memory was given back: it holds (nearly) none.
	AddressSpace Substance = "address space"
	// Committed is memory that the path makes accessible bit by bit in address space
	// that it reserved before.
	Committed Substance = "committed memory"
)

// Matter says what the outstanding bytes of a path are.
type Matter struct {
	Bytes uint64 // all of them
	// Closed have no access (PROT_NONE); of them ClosedHeld are in memory or in swap.
	Closed, ClosedHeld uint64
	// Returned is what madvise gave back; what was touched again and given back again
	// counts each time.
	Returned uint64
	// Held is how many are in memory or in swap, if Looked. Of them Lazy were given
	// back by MADV_FREE and not written to since: they are in memory until the kernel
	// needs it.
	Held, Lazy uint64
	Looked     bool
	// LazyUnknown is how many of Returned MADV_FREE gave back of which it is not
	// known whether they were written to since.
	LazyUnknown uint64
}

// Shares of a path's bytes that decide what it holds.
const (
	reserved = 0.9  // has no access: it is address space
	emptied  = 0.25 // is in memory: the rest was given back, if as much was
	recycled = 1.5  // was given back: more than there is, so it is used again and again
)

// reservedOnly reports whether m is address space that was never made accessible,
// or is so no more.
func (m *Matter) reservedOnly() bool {
	return m.Bytes > 0 && float64(m.Closed) >= reserved*float64(m.Bytes) &&
		float64(m.ClosedHeld) <= (1-reserved)*float64(m.Bytes)
}

// givenBack reports whether the memory of m was given back while it stayed mapped.
func (m *Matter) givenBack() bool {
	return m.Looked && m.Bytes > 0 && float64(m.Held-min(m.Lazy, m.Held)) <= emptied*float64(m.Bytes) &&
		float64(m.Returned) >= (1-emptied)*float64(m.Bytes)
}

// rss says what became of the memory that was given back, as far as RSS counts it:
// that is a matter of the kernel's if most of what is in memory is Lazy.
func (m *Matter) rss(taken, waits string) string {
	if m.Lazy > m.Held/2 && m.Lazy > 0 {
		return waits
	}
	return taken
}

// unsure reports whether MADV_FREE gave back nearly all of m, and it is not known
// whether it is in use again.
func (m *Matter) unsure() bool {
	return m.Bytes > 0 && float64(m.LazyUnknown) >= (1-emptied)*float64(m.Bytes)
}

// weigh says of the verdict v on a path that grows what it is of which it holds
// more and more. Memory that is given back again and again while the address space
// is kept is no leak: so do allocators. Given back once and never used again it is
// one of address space: so do threads that nobody joins.
func (m *Matter) weigh(v Verdict) Verdict {
	if v.Kind != Leak && v.Kind != Growing || v.Of == Committed {
		return v
	}
	why := strings.TrimSuffix(v.Why, ".")
	switch {
	case m.reservedOnly():
		v.Of = AddressSpace
		part := "all"
		if m.Closed < m.Bytes {
			part = fmt.Sprintf("%d %%", m.Closed*100/m.Bytes)
		}
		v.Why = why + "; " + part + " of it is reserved and has no access (PROT_NONE): it is address space, not memory."
	case m.givenBack() && float64(m.Returned) >= recycled*float64(m.Bytes):
		v.Kind, v.Of, v.Enough = Growing, AddressSpace, true
		v.Why = why + "; but madvise gives its memory back again and again: VIRT is kept for later use, RSS " +
			m.rss("is returned", "counts it only until the kernel needs it (MADV_FREE)") + ", so this is no leak."
	case m.givenBack():
		v.Of = AddressSpace
		v.Why = why + "; madvise gave its memory back: VIRT is kept, RSS " +
			m.rss("was returned", "counts it only until the kernel needs it (MADV_FREE)") + ", so it is address space, not memory."
	case m.unsure():
		v.Why = why + "; MADV_FREE gave its memory back, and whether it is in use again is not known: if not, RSS counts it only until the kernel needs it."
	}
	return v
}

// opening reports whether a path that holds no more address space makes more and
// more of it accessible, through the whole window.
func (j *judge) opening() bool {
	n := len(j.Open)
	last := int(float64(n) * (1 - flatShare))
	if n != len(j.Levels) || last < 2 || j.Open[n-1] <= j.Open[last] || j.Levels[n-1] > j.Levels[last] {
		return false
	}
	p, up := Trend(j.Open[:int(float64(n)*(1-j.share)+0.5)])
	return up && p < significant && rises(j.Open) > fewBirths
}

// rises counts the steps at which levels went up.
func rises(levels []uint64) int {
	n := 0
	for i, l := range levels[1:] {
		if l > levels[i] {
			n++
		}
	}
	return n
}

func (j *judge) opened() Verdict {
	return Verdict{Kind: Growing, Of: Committed, Enough: true,
		Why: "It holds no more address space, but makes more and more of it accessible through the whole window."}
}
