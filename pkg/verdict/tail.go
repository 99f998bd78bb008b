package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// The newest part of the window says little: what was mapped in it may yet be
// unmapped.
const tailShare = 0.1

// A Tail is a newest part of a window that is left out of judgement: a share of
// the window, or a time in nanoseconds. The zero value stands for the usual one.
type Tail struct {
	Set   bool // also to none
	Share float64
	Time  event.Time
}

// Of returns how long the tail of a window is that was asked for, NoTail if that is
// none, and 0 if nobody asked.
func (t Tail) Of(window event.Time) event.Time {
	if !t.Set {
		return 0
	}
	n := min(max(t.Time, event.Time(t.Share*float64(window))), window)
	return cmp.Or(max(n, 0), NoTail)
}

// Usual returns the length of the tail of a window for which nobody asks.
func Usual(window event.Time) event.Time { return event.Time(tailShare * float64(window)) }

// NoTail as Evidence.Tail makes the whole window count.
const NoTail event.Time = -1

// cutTail takes the tail that was asked for from the evidence: what was mapped in it
// and is left, and the levels. What went in it stays known. It returns false if
// nothing is left to judge.
func (j *judge) cutTail() bool {
	e := *j.Evidence
	j.cut = max(0, min(e.Tail, e.Window))
	e.Window -= j.cut
	at, _ := slices.BinarySearch(e.Births, e.Begin+e.Window)
	e.Mapped -= min(e.Mapped, uint64(len(e.Births)-at))
	e.Births = e.Births[:at]
	if j.Window > 0 {
		share := float64(e.Window) / float64(j.Window)
		e.Levels, e.Open = cutLevels(e.Levels, share), cutLevels(e.Open, share)
	}
	j.Evidence, j.share = &e, 0
	return len(e.Births) > 0
}

// cutLevels returns the first share of levels.
func cutLevels(levels []uint64, share float64) []uint64 {
	return levels[:min(int(float64(len(levels))*share+0.5), len(levels))]
}

// unlessCut returns whole, or if the tail was left out the other text, in which %s
// stands for its length.
func (j *judge) unlessCut(whole, cut string) string {
	if j.cut == 0 {
		return whole
	}
	return strings.Replace(cut, "%s", Span(j.cut), 1)
}
