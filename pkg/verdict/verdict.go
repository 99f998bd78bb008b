// Package verdict judges call paths: whether what a path mapped and has not
// unmapped is a leak. "Still mapped" is not enough. It takes growth through the
// window, and mappings that live longer than those that the path gives back.
package verdict

import (
	"cmp"
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Kind is a verdict.
type Kind string

// Verdicts, worst first.
const (
	// Leak: the path maps on and on and never gives back what it mapped.
	Leak Kind = "leak"
	// Growing: it holds more and more, but gives some back or has not been seen
	// long enough to be called a leak.
	Growing Kind = "growing"
	// Cache: it has grown and stopped, or replaces old mappings by new ones.
	Cache Kind = "cache"
	// Young: what it holds is not older than what it usually gives back.
	Young Kind = "young"
	// Once: it mapped once and not again.
	Once Kind = "once"
	// Suppressed: it was not to be judged. Judge does not say so.
	Suppressed Kind = "suppressed"
)

// rank orders verdicts, worst first.
var rank = map[Kind]int{Leak: 0, Growing: 1, Cache: 2, Young: 3, Once: 4, Suppressed: 5}

// Compare orders verdicts, the worst first; what is none comes last.
func Compare(a, b Kind) int { return cmp.Compare(order(a), order(b)) }

func order(k Kind) int {
	if n, ok := rank[k]; ok {
		return n
	}
	return len(rank)
}

// Evidence is what was seen of a path in a window.
type Evidence struct {
	// Window is the length of the window, and Begin its start on the clock of
	// Births.
	Window event.Time
	Begin  event.Time
	// Levels are the outstanding bytes of the path at equal steps through the
	// window, oldest first, the last at its end.
	Levels []uint64
	// Open are those of them that were accessible, at the same times.
	Open []uint64
	// Births are when the mappings that are left were made, oldest first.
	Births []event.Time
	// Freed are the lifetimes of the mappings that are gone.
	Freed Lifetimes
	// Mapped counts the mappings that the path made.
	Mapped uint64
	// Returned is how many mappings from before the window, each as long as one of
	// those that are left, were unmapped in it. At most one counts for each that is
	// left; where several paths compete for them, a part.
	Returned float64
	// File says that the largest of those that are left is of a file.
	File bool
	// Matter is what it is that is outstanding.
	Matter Matter
	// Tail is how much of the window, in nanoseconds from its end, is left out; NoTail
	// is nothing. 0 is the usual part, and only of what shows a trend.
	Tail event.Time
}

// A Verdict is a Kind with its reasons.
type Verdict struct {
	Kind Kind
	// Of says of what there is more and more, if there is.
	Of Substance
	// Swells says of a leak that it is no mappings that are forgotten, but what was
	// mapped at one time and that mremap makes larger and larger.
	Swells bool
	// Why is a sentence with the numbers that decided.
	Why string
	// Enough says that the window was long enough to be sure; else Longer is a
	// length in nanoseconds that should do.
	Enough bool
	Longer event.Time
}

// Numbers that decide.
const (
	fewBirths   = 5    // fewer mappings left do not show a habit
	significant = 0.01 // of the rank test
	oldEnough   = 0.9  // of the window: a leak's oldest mapping is older
	flatShare   = 0.35 // of the window, at its end: no growth here is a plateau
	surviving   = 0.5  // a leak's mappings are more likely than this to outlive the window
	churning    = 0.1  // fewer outlive the window where all are unmapped sooner or later
	outlives    = 3    // times the longest life of those given back: not one of their kind
	replacing   = 0.9  // of those that are left: as many old ones went
)

// Judge returns the verdict on a path.
func Judge(e *Evidence) Verdict {
	j := judge{Evidence: e, end: e.Begin + e.Window, share: tailShare}
	if len(e.Births) == 0 {
		return Verdict{Kind: Young, Why: "Nothing is left.", Enough: true}
	}
	if e.Tail != 0 && !j.cutTail() {
		return Verdict{Kind: Young, Longer: e.Window * 4,
			Why: fmt.Sprintf("Nothing left is older than %s: too early to tell.", Span(j.cut))}
	}
	j.measure()
	return e.Matter.weigh(j.verdict())
}

func (j *judge) verdict() Verdict {
	switch {
	case j.swelling():
		return j.swollen()
	case j.opening():
		return j.opened()
	case j.Mapped <= 1 || j.burst():
		return j.once()
	case j.replaced():
		return j.young()
	case j.plateau():
		return j.cache()
	}
	return j.growth()
}

// A judge holds what was derived from the evidence.
type judge struct {
	*Evidence
	end     event.Time // of the whole window
	cut     event.Time // how much of it was left out on demand
	share   float64    // how much of the rest is its newest part
	tail    event.Time // start of the newest part of the window
	settled int        // births before tail
	newest  event.Time // of them
}

func (j *judge) measure() {
	j.tail = j.Begin + event.Time(float64(j.Window)*(1-j.share))
	for _, b := range j.Births {
		if b < j.tail {
			j.settled++
			j.newest = b
		}
	}
}

// burst reports whether all was mapped at about one time and long ago: the
// start of something, not a habit.
func (j *judge) burst() bool {
	span := j.Births[len(j.Births)-1] - j.Births[0]
	return j.Freed.Count() == 0 && span < j.Window/50 && j.Births[len(j.Births)-1] < j.Begin+j.Window/2 && uint64(len(j.Births)) == j.Mapped
}

func (j *judge) once() Verdict {
	v := Verdict{Kind: Once, Enough: true, Why: "It mapped once in this window" + j.unlessCut("", ", not counting its last %s") + "."}
	if j.Mapped > 1 {
		v.Why = fmt.Sprintf("It mapped %s times within %s, and not again %s.", number(j.Mapped),
			Span(j.Births[len(j.Births)-1]-j.Births[0]), j.unlessCut("since", "before the last %s"))
	}
	return v
}

// replaced reports whether everything that is left is of an age at which the
// path's mappings are usually still there.
func (j *judge) replaced() bool {
	if j.settled == 0 && j.Freed.Count() == 0 {
		return true
	}
	if j.Freed.Count() < fewBirths {
		return false
	}
	oldest := j.end - j.Births[0]
	return oldest <= j.Freed.Quantile(0.99)*5/4
}

func (j *judge) young() Verdict {
	oldest := j.end - j.Births[0]
	if j.Freed.Count() == 0 {
		return Verdict{Kind: Young, Longer: j.Window * 4,
			Why: fmt.Sprintf("Nothing left is older than %s: too early to tell.", Span(oldest))}
	}
	return Verdict{Kind: Young, Enough: true, Why: fmt.Sprintf(
		"%s of %s mappings were unmapped, after up to %s; the oldest left is %s old.",
		number(j.Freed.Count()), number(j.Mapped), Span(j.Freed.Quantile(0.99)), Span(oldest))}
}

// plateau reports whether the level did not grow in the last part of the
// window, though the path had time to.
func (j *judge) plateau() bool {
	n := len(j.Levels)
	last := int(float64(n) * (1 - flatShare))
	if n < 6 || last < 2 {
		return false
	}
	return j.Levels[n-1] <= j.Levels[last] && longestPause(j.Births, j.Begin, j.Begin+j.Window) >= event.Time(flatShare*float64(j.Window))*9/10 ||
		steady(j.Levels[n/2:])
}

// steady reports whether levels go neither up nor down.
func steady(levels []uint64) bool {
	if len(levels) < 5 {
		return false
	}
	low, high := levels[0], levels[0]
	for _, l := range levels {
		low, high = min(low, l), max(high, l)
	}
	p, up := Trend(levels)
	return high-low <= high/4 && !(up && p < significant)
}

// longestPause returns the time from the newest birth to the end.
func longestPause(births []event.Time, begin, end event.Time) event.Time {
	return end - births[len(births)-1]
}

func (j *judge) cache() Verdict {
	end := j.Begin + j.Window
	pause := end - j.Births[len(j.Births)-1]
	if j.Freed.Count() == 0 {
		return Verdict{Kind: Cache, Enough: true, Why: fmt.Sprintf(
			"It grew and stopped: no new mapping in the %s%s%s.", j.unlessCut("last ", ""), Span(pause), j.unlessCut("", " before the last %s"))}
	}
	return Verdict{Kind: Cache, Enough: true, Why: fmt.Sprintf(
		"The level is steady: %s mappings were made and %s unmapped.", number(j.Mapped), number(j.Freed.Count()))}
}
