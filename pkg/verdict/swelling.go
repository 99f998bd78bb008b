package verdict

// swelling reports whether what was mapped at one time grows and grows, by mremap.
func (j *judge) swelling() bool {
	n := len(j.Levels)
	last := int(float64(n) * (1 - flatShare))
	if j.Mapped > 1 && !j.burst() || last < 2 || j.Levels[n-1] <= j.Levels[last] {
		return false
	}
	return rises(j.swells(n)) >= fewBirths
}

// swells returns those of the first n levels in which all mappings were made: what
// rises in them was made larger by mremap.
func (j *judge) swells(n int) []uint64 {
	newest := float64(j.Births[len(j.Births)-1] - j.Begin)
	from := int(newest / float64(max(1, j.Window)) * float64(len(j.Levels)))
	return j.Levels[min(from, n-1):n]
}

// swollen judges what mremap makes larger as if each time were a mapping that is
// left: it takes a trend, and enough of them. They count in the second half only,
// because of containers that make room in advance: one that grows by a factor f and
// is filled at a steady rate grows ln 2 / ln f times in the second half of its life,
// which is once if it doubles, and three times if it grows by a quarter. One that
// got smaller has given something back, and a file that is written to grows by right.
func (j *judge) swollen() Verdict {
	v := Verdict{Kind: Growing, Enough: true}
	what, it := "It is one mapping", "it"
	if n := len(j.Births); n > 1 {
		what, it = "They are "+number(n)+" mappings made at one time", "them"
	}
	what += ", and mremap made " + it + " larger"
	levels := j.swells(len(j.withoutTail()))
	p, up := Trend(levels)
	switch {
	case falls(levels):
		v.Why = what + " and smaller."
	case j.File:
		v.Why = what + " through the " + j.through() + ": a file that is written to grows so."
	case !up || p >= significant || rises(levels[len(levels)/2:]) < fewBirths:
		v.Why = what + ", but not often enough to be sure: a container that doubles grows so, too."
		v.Enough, v.Longer = false, j.Window*4
	default:
		v.Kind, v.Swells = Leak, true
		v.Why = what + " through the " + j.through() + ", and never smaller."
	}
	return v
}

// through says what part of the window counts.
func (j *judge) through() string {
	return j.unlessCut("whole window", "window up to its last %s")
}

// falls reports whether levels go down at some step.
func falls(levels []uint64) bool {
	for i := 1; i < len(levels); i++ {
		if levels[i] < levels[i-1] {
			return true
		}
	}
	return false
}
