package verdict

import (
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// growth judges a path that goes on growing.
func (j *judge) growth() Verdict {
	p, up := Trend(j.withoutTail())
	survive := j.survival()
	if j.Returned >= replacing*float64(len(j.Births)) && len(j.Births) > 1 {
		return Verdict{Kind: Cache, Enough: true, Why: fmt.Sprintf(
			"%s mappings are left, and as many of their sizes from before the window were unmapped in it: they replace those.", number(len(j.Births)))}
	}
	oldest := j.end - j.Births[0]
	facts := fmt.Sprintf("%s of %s mappings were never unmapped; the oldest is %s old", number(len(j.Births)), number(j.Mapped), Span(oldest))
	switch {
	case (!up || p >= significant) && j.Freed.Count() >= j.Mapped/2 && j.fewForgotten():
		return Verdict{Kind: Cache, Enough: true, Why: fmt.Sprintf(
			"The level goes up and down without a trend: %s mappings were made and %s unmapped.", number(j.Mapped), number(j.Freed.Count()))}
	case j.settled < fewBirths:
		return Verdict{Kind: Growing, Longer: j.longer(),
			Why: facts + ": too few to be sure."}
	case !up || p >= significant:
		return Verdict{Kind: Growing, Longer: j.Window * 4,
			Why: facts + "; the level goes up and down."}
	case survive < churning && j.forgotten() == 0:
		return Verdict{Kind: Young, Enough: true, Why: fmt.Sprintf(
			"%d %% of its mappings are unmapped within the window, after up to %s; the oldest left is %s old.",
			int(100*(1-survive)), Span(j.Freed.Quantile(1)), Span(oldest))}
	case survive < surviving && j.forgotten() < fewBirths:
		enough := 2 * outlives * j.Freed.Quantile(1) // to see some that were forgotten
		return Verdict{Kind: Growing, Enough: enough <= j.Window, Longer: enough, Why: fmt.Sprintf(
			"%s; it holds more and more, though %d %% of its mappings are unmapped within the window.", facts, int(100*(1-survive)))}
	}
	why := facts + ", and it went on through the " + j.through()
	if j.Freed.Count() > 0 {
		why += fmt.Sprintf("; those that were unmapped lived %s or less", Span(j.Freed.Quantile(1)))
	}
	return Verdict{Kind: Leak, Enough: true, Why: why + "."}
}

// fewForgotten reports whether so few seem to be forgotten that it may be by chance:
// none if there are few mappings altogether.
func (j *judge) fewForgotten() bool {
	n := j.forgotten()
	return n == 0 || n < fewBirths && j.settled >= fewBirths
}

// forgotten counts the mappings that are far older than any that was unmapped ever
// got, or so many and so much older that chance does not explain it: the path gives
// its mappings back, but not these.
func (j *judge) forgotten() int {
	limit := j.end - outlives*j.Freed.Quantile(1)
	n := 0
	for _, b := range j.Births {
		if b < limit {
			n++
		}
	}
	if p, beyond := j.Freed.Beyond(j.ages()); p < significant {
		n = max(n, beyond)
	}
	return n
}

// ages returns how old the mappings that are left are, ascending.
func (j *judge) ages() []event.Time {
	ages := make([]event.Time, len(j.Births))
	for i, b := range j.Births {
		ages[len(ages)-1-i] = j.end - b
	}
	return ages
}

// withoutTail returns the levels less their newest part.
func (j *judge) withoutTail() []uint64 {
	n := int(float64(len(j.Levels))*(1-j.share) + 0.5)
	return j.Levels[:n]
}

// survival estimates the share of the path's mappings that outlive the window
// less its tail (Kaplan and Meier 1958): mappings that are gone are deaths, those
// that are left are censored at their age.
func (j *judge) survival() float64 {
	return j.Freed.Survival(j.ages(), event.Time(float64(j.Window)*(1-j.share)))
}

// longer returns a window in which enough mappings should be left to be sure.
func (j *judge) longer() event.Time {
	per := j.Window / event.Time(max(1, len(j.Births)))
	return per * fewBirths * 2
}
