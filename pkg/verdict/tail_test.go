package verdict

import (
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestTail(t *testing.T) {
	for tail, want := range map[Tail]event.Time{
		{}:                              0,
		{Share: 0.5}:                    0,
		{Set: true}:                     NoTail,
		{Set: true, Share: 0.25}:        5 * second,
		{Set: true, Time: 3 * second}:   3 * second,
		{Set: true, Time: 300 * second}: 20 * second,
		{Set: true, Share: 7}:           20 * second,
		{Set: true, Time: -1}:           NoTail,
	} {
		if got := tail.Of(20 * second); got != want {
			t.Errorf("%+v: %d, want %d", tail, got, want)
		}
	}
}

// What was mapped in the tail decides nothing: a burst at the end of a window is no
// leak, and what leaked before it still is one.
func TestJudgeWithoutTail(t *testing.T) {
	const end = 30 * second
	burst := every(second/20, 25*second+1, end, 0)
	cache := every(second/4, 0, 5*second, 0)
	leak := every(second/4, 0, 25*second, 0)
	late := every(second/4, 20*second, end, 0)
	for _, tt := range []struct {
		name  string
		lives []life
		tail  event.Time
		want  Kind
		why   string
	}{
		{"a burst beside a cache", slices.Concat(cache, burst), 0, Leak,
			"120 of 120 mappings were never unmapped; the oldest is 30.0 s old, and it went on through the whole window."},
		{"a burst beside a cache", slices.Concat(cache, burst), 5 * second, Cache,
			"It grew and stopped: no new mapping in the 20.2 s before the last 5.0 s."},
		{"a burst alone", burst, 5 * second, Young, "Nothing left is older than 5.0 s: too early to tell."},
		{"a burst after one mapping", slices.Concat(cache[:1], burst), 5 * second, Once,
			"It mapped once in this window, not counting its last 5.0 s."},
		{"a burst after two mappings", slices.Concat(cache[:2], burst), 5 * second, Once,
			"It mapped 2 times within 250 ms, and not again before the last 5.0 s."},
		{"a leak and a burst", slices.Concat(leak, burst), 5 * second, Leak,
			"100 of 100 mappings were never unmapped; the oldest is 30.0 s old, and it went on through the window up to its last 5.0 s."},
		{"a leak that stopped", leak, 5 * second, Leak,
			"100 of 100 mappings were never unmapped; the oldest is 30.0 s old, and it went on through the window up to its last 5.0 s."},
		{"growth that began late, all of it counted", late, NoTail, Leak,
			"40 of 40 mappings were never unmapped; the oldest is 10.0 s old, and it went on through the whole window."},
		{"all is tail", leak, end, Young, "Nothing left is older than 30.0 s: too early to tell."},
	} {
		e := observe(tt.lives, 30)
		e.Tail = tt.tail
		births := slices.Clone(e.Births)
		if v := Judge(e); v.Kind != tt.want || v.Why != tt.why {
			t.Errorf("%s without %v: %s: %s", tt.name, tt.tail, v.Kind, v.Why)
		}
		if !slices.Equal(births, e.Births) || e.Tail != tt.tail {
			t.Errorf("%s: the evidence was changed", tt.name)
		}
	}
}
