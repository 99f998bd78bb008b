package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

const second = event.Time(1e9)

// A life is one mapping: when it was made and unmapped, 0 for never.
type life struct{ born, died event.Time }

// observe turns lives into the evidence of a window of n seconds.
func observe(lives []life, n int) *Evidence {
	window := event.Time(n) * second
	e := &Evidence{Window: window}
	for i := range n*2 + 1 {
		at := event.Time(i) * second / 2
		var level uint64
		for _, l := range lives {
			if l.born <= at && (l.died == 0 || l.died > at) {
				level += 4096
			}
		}
		e.Levels = append(e.Levels, level)
	}
	for _, l := range lives {
		if l.born > window {
			continue
		}
		e.Mapped++
		if l.died != 0 && l.died <= window {
			e.Freed.Add(l.died - l.born)
		} else {
			e.Births = append(e.Births, l.born)
		}
	}
	slices.Sort(e.Births)
	return e
}

// every makes a life every step nanoseconds that lasts for the given time, 0 for
// ever, from begin to end.
func every(step, begin, end, lasts event.Time) []life {
	var out []life
	for at := begin; at < end; at += step {
		l := life{born: at}
		if lasts > 0 {
			l.died = at + lasts
		}
		out = append(out, l)
	}
	return out
}

func TestJudge(t *testing.T) {
	const end = 30 * second
	r := rand.New(rand.NewPCG(1, 2))
	var mixed []life // one in fifty is forgotten
	for i, l := range every(second/50, 0, end, second/4) {
		if i%50 == 7 {
			l.died = 0
		}
		mixed = append(mixed, l)
	}
	var bursts []life
	for at := second; at < end; at += 4 * second {
		bursts = append(bursts, every(second/100, at, at+second/10, 0)...)
	}
	var sawtooth []life // all is given back every 7 seconds
	for _, l := range every(second/20, 0, end, 0) {
		l.died = (l.born/(7*second) + 1) * 7 * second
		sawtooth = append(sawtooth, l)
	}
	var random []life // lifetimes of very different length
	for _, l := range every(second/20, 0, end, 0) {
		l.died = l.born + event.Time(r.ExpFloat64()*2e9) + 1
		random = append(random, l)
	}
	lru := every(second/20, 0, end, 5*second) // holds the newest hundred
	for _, tt := range []struct {
		name  string
		lives []life
		want  Kind
	}{
		{"a leak of ten a second", every(second/10, 0, end, 0), Leak},
		{"a leak of one in three seconds", every(3*second, second, end, 0), Leak},
		{"a leak of one in eleven seconds is too slow to be sure", every(11*second, second, end, 0), Growing},
		{"a leak in bursts", bursts, Leak},
		{"one in fifty is forgotten", mixed, Leak},
		{"a leak that begins in the middle", every(second/5, 12*second, end, 0), Leak},
		{"a cache that fills up in five seconds", every(second/20, 0, 5*second, 0), Cache},
		{"a cache that fills up in fifteen seconds", every(second/5, 0, 15*second, 0), Cache},
		{"a cache that replaces its oldest", lru, Young},
		{"a worker that cleans up", every(second/50, 0, end, second/10), Young},
		{"lifetimes of all lengths", random, Young},
		{"a sawtooth", sawtooth, Young},
		{"one mapping at the start", []life{{born: second}}, Once},
		{"a pool made in one go", every(second/1000, second, second+second/20, 0), Once},
		{"all in the last seconds", every(second/20, 28*second, end, 0), Young},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Judge(observe(tt.lives, 30))
			if v.Kind != tt.want {
				t.Errorf("%s: %s; want %s", v.Kind, v.Why, tt.want)
			}
			t.Log(v.Why)
		})
	}
}

// What takes the place of older mappings is no leak, though nothing of it was
// unmapped yet; but all of it has to.
func TestJudgeReplacement(t *testing.T) {
	e := observe(every(second/10, 0, 30*second, 0), 30)
	for returned, want := range map[float64]Kind{300: Cache, 200: Leak, 0: Leak} {
		e.Returned = returned
		if v := Judge(e); v.Kind != want {
			t.Errorf("%v were returned: %s: %s", returned, v.Kind, v.Why)
		}
	}
}

// Few mappings of a level that goes up and down are a path at work, unless one of
// them is older than chance explains: from 7.5 s on 15 ended after 1.1 s.
func TestJudgeFew(t *testing.T) {
	const first, upAndDown = 2 * second, "The level goes up and down without a trend: 19 mappings were made and 15 unmapped."
	at := func(lasts, oldest event.Time) []life {
		lives := slices.Concat(every(second/10, first, first+3*second/2, lasts), every(second, 23*second, 26*second, 0))
		return append(lives, life{born: 30*second - oldest})
	}
	for _, tt := range []struct {
		name          string
		lasts, oldest event.Time
		kind          Kind
		why           string
	}{
		{"as old as chance allows", 8 * second, 18 * second, Cache, upAndDown},
		{"older", 8 * second, 19 * second, Growing, "4 of 19 mappings were never unmapped; the oldest is 19.0 s old: too few to be sure."},
	} {
		if v := Judge(observe(at(tt.lasts, tt.oldest), 30)); v.Kind != tt.kind || v.Why != tt.why {
			t.Errorf("%s: %s: %s", tt.name, v.Kind, v.Why)
		}
	}
}

func TestTrend(t *testing.T) {
	for _, tt := range []struct {
		name   string
		levels []uint64
		up     bool
		sure   bool
	}{
		{"up", []uint64{1, 2, 3, 4, 5, 6, 7, 8}, true, true},
		{"down", []uint64{8, 7, 6, 5, 4, 3, 2, 1}, false, true},
		{"flat", []uint64{5, 5, 5, 5, 5, 5}, false, false},
		{"one jump", []uint64{1, 1, 1, 9, 9, 9}, true, false},
		{"up and down", []uint64{1, 5, 2, 6, 1, 5, 2, 6}, true, false},
		{"too few", []uint64{1, 2, 3}, false, false},
	} {
		p, up := Trend(tt.levels)
		if up != tt.up || (p < significant) != tt.sure {
			t.Errorf("%s: p %.4f, up %v", tt.name, p, up)
		}
	}
}

func TestLifetimes(t *testing.T) {
	var l Lifetimes
	for i := range event.Time(1000) {
		l.Add((i + 1) * 1e6)
	}
	for _, q := range []float64{0.1, 0.5, 0.99, 1} {
		want := event.Time(q * 1e9)
		if got := l.Quantile(q); got < want || got > want*5/4 {
			t.Errorf("quantile %v: %d, want %d to a quarter more", q, got, want)
		}
	}
	if s := l.Survival(nil, 500e6); s < 0.45 || s > 0.62 {
		t.Errorf("survival of half: %v", s)
	}
	// A thousand more still live, as old as the oldest: as many as died are left.
	old := slices.Repeat([]event.Time{1001e6}, 1000)
	if s := l.Survival(old, 1100e6); s < 0.45 || s > 0.55 {
		t.Errorf("survival with a thousand alive: %v", s)
	}
	for b := range nBuckets {
		if u := upper(uint8(b)); u > 0 && bucket(u) != uint8(b) {
			t.Errorf("bucket(upper(%d)) = %d", b, bucket(u))
		}
	}
}
