package verdict

import "testing"

// What mremap makes larger is judged as mappings are: how often it grew, until when,
// and whether it ever shrank. Cases at a border stand beside those beyond it.
func TestSwelling(t *testing.T) {
	const (
		on      = "It is one mapping, and mremap made it larger through the whole window, and never smaller."
		unsure  = "It is one mapping, and mremap made it larger, but not often enough to be sure: a container that doubles grows so, too."
		shrinks = "It is one mapping, and mremap made it larger and smaller."
		ofFile  = "It is one mapping, and mremap made it larger through the whole window: a file that is written to grows so."
		several = "They are 3 mappings made at one time, and mremap made them larger through the whole window, and never smaller."
		once    = "It mapped once in this window."
		thrice  = "It mapped 3 times within 200 ms, and not again since."
	)
	leak := func(why string) Verdict { return Verdict{Kind: Leak, Why: why, Enough: true, Swells: true} }
	growing := func(why string) Verdict { return Verdict{Kind: Growing, Why: why, Enough: true} }
	was := func(why string) Verdict { return Verdict{Kind: Once, Why: why, Enough: true} }
	notYet := Verdict{Kind: Growing, Why: unsure, Longer: 120 * second}
	one := []life{{born: second}}
	three := every(second/10, second, second+second/4, 0)
	for _, tt := range []struct {
		name  string
		lives []life
		file  bool
		level func(i int) int // of 61, half a second apart; from the third on all is mapped
		want  Verdict
	}{
		{"it grows all the time", one, false, func(i int) int { return i }, leak(on)},
		{"it grows every two seconds", one, false, func(i int) int { return i / 4 }, leak(on)},
		{"so do three", three, false, func(i int) int { return 3 * i }, leak(several)},
		{"a file grows all the time", one, true, func(i int) int { return i }, growing(ofFile)},
		{"it begins to grow in the middle", one, false, func(i int) int { return max(30, i) }, leak(on)},
		{"it grows five times in the second half", one, false, func(i int) int { return steps(i, 5, 29, 33, 38, 42, 50) }, leak(on)},
		{"it grows four times in the second half", one, false, func(i int) int { return steps(i, 5, 8, 29, 33, 38, 42) }, notYet},
		{"the fifth time is in the newest part", one, false, func(i int) int { return steps(i, 5, 29, 33, 38, 42, 55) }, notYet},
		{"it grows five times, the last before the end's third", one, false, func(i int) int { return steps(i, 5, 8, 20, 25, 39) }, was(once)},
		{"it grows five times, the last just in the end's third", one, false, func(i int) int { return steps(i, 5, 8, 20, 25, 40) }, notYet},
		{"it grows four times", one, false, func(i int) int { return steps(i, 5, 20, 25, 40) }, was(once)},
		{"it doubles", one, false, func(i int) int { return filled(i, 2) }, was(once)},
		{"it grows by half", one, false, func(i int) int { return filled(i, 1.5) }, notYet},
		{"it grows by a quarter", one, false, func(i int) int { return filled(i, 1.25) }, notYet},
		{"it shrinks by a page", one, false, func(i int) int { return i - i/30*2 }, growing(shrinks)},
		{"it shrinks in the newest part", one, false, func(i int) int { return i - i/56*2 }, leak(on)},
		{"it has grown", one, false, func(i int) int { return min(i, 20) }, was(once)},
		{"it was mapped and kept", one, false, func(int) int { return 1 }, was(once)},
		{"three were mapped and kept", three, false, func(int) int { return 3 }, was(thrice)},
		{"it was mapped in the middle", []life{{born: 15 * second}}, false, func(int) int { return 1 }, was(once)},
	} {
		e := observe(tt.lives, 30)
		e.File = tt.file
		for i := range e.Levels {
			if e.Levels[i] > 0 {
				e.Levels[i] = uint64(tt.level(i)+1) * 4096
			}
		}
		if got := Judge(e); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v\nof %v", tt.name, got, tt.want, e.Levels)
		}
	}
}

// steps returns how many of the steps are over.
func steps(i int, at ...int) int {
	n := 0
	for _, a := range at {
		if i >= a {
			n++
		}
	}
	return n
}

// filled returns the size of a container that grows by the factor when it is full
// and gets one element in each step.
func filled(i int, factor float64) int {
	room := 1.0
	for room < float64(i) {
		room *= factor
	}
	return int(100 * room)
}
