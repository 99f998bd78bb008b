package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// What dies sooner or later is taken for a leak no more often than chance allows,
// however long its lives are; and one in five or ten that is forgotten is found.
func TestForgottenAmongTheFreed(t *testing.T) {
	const runs, n = 200, 600
	exp := func(r *rand.Rand) float64 { return 1.3 * r.ExpFloat64() }
	for _, tt := range []struct {
		name        string
		life        func(r *rand.Rand) float64 // in seconds
		forget      float64
		least, most int // leaks of 200
	}{
		{"one in five is forgotten", exp, 0.2, 190, 200},
		{"one in ten is forgotten", exp, 0.1, 190, 200},
		{"one in five of lives of the same length", func(*rand.Rand) float64 { return 8 }, 0.2, 190, 200},
		{"short lives", exp, 0, 0, 4},
		{"lives of up to half a window", func(r *rand.Rand) float64 { return 15 * r.Float64() }, 0, 0, 4},
		{"lives of up to a window", func(r *rand.Rand) float64 { return 30 * r.Float64() }, 0, 0, 4},
		{"lives of up to two windows", func(r *rand.Rand) float64 { return 60 * r.Float64() }, 0, 0, 4},
		{"lives of a third of a window", func(r *rand.Rand) float64 { return 10 * r.ExpFloat64() }, 0, 0, 4},
		{"lognormal", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() * 1.5) }, 0, 0, 4},
		{"lognormal, wide", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() * 2.5) }, 0, 0, 4},
		{"Pareto", func(r *rand.Rand) float64 { return 0.5 * math.Pow(1-r.Float64(), -1/1.5) }, 0, 0, 4},
		{"Pareto, without a mean", func(r *rand.Rand) float64 { return 0.2 * math.Pow(1-r.Float64(), -1) }, 0, 0, 4},
	} {
		leaks, kinds := 0, map[Kind]int{}
		for seed := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, 1))
			var lives []life
			for i := range n {
				l := life{born: event.Time(i) * 30 * second / n}
				if r.Float64() >= tt.forget {
					l.died = l.born + 1 + event.Time(tt.life(r)*1e9)
				}
				lives = append(lives, l)
			}
			k := Judge(observe(lives, 30)).Kind
			kinds[k]++
			if k == Leak {
				leaks++
			}
		}
		if leaks < tt.least || leaks > tt.most {
			t.Errorf("%s: %d of %d are leaks, want %d to %d", tt.name, leaks, runs, tt.least, tt.most)
		}
		t.Log(tt.name, fmt.Sprint(kinds))
	}
}

// By the numbers: of lives from 7.5 to 8.6 s, as the histogram has them, and of ages.
func TestBeyond(t *testing.T) {
	var l Lifetimes
	if p, n := l.Beyond([]event.Time{second}); p != 1 || n != 0 {
		t.Errorf("of none that ended: %v, %d", p, n)
	}
	for range 20 {
		l.Add(8 * second)
	}
	start, longest := 7516192767.0, 8589934591.0
	for name, tt := range map[string]struct {
		ages   []event.Time
		want   float64
		beyond int
	}{
		"none is left":         {nil, 1, 0},
		"none is older":        {[]event.Time{second, 8 * second}, 1, 0},
		"one is a third older": {[]event.Time{second, 12 * second}, math.Pow(1+math.Log(12e9/longest)/(21*math.Log(longest/start)), -20), 1},
		"two are older": {[]event.Time{8 * second, 12 * second, 30 * second},
			math.Pow(1+(math.Log(12e9/longest)+math.Log(30e9/longest))/(22*math.Log(longest/start)+math.Log(8e9/start)), -20), 2},
	} {
		p, n := l.Beyond(tt.ages)
		if math.Abs(p-tt.want) > 1e-9 || n != tt.beyond {
			t.Errorf("%s: %v of %d, want %v of %d", name, p, n, tt.want, tt.beyond)
		}
	}
	var short Lifetimes
	short.Add(0)
	if p, n := short.Beyond([]event.Time{second}); p != 1 || n != 0 {
		t.Errorf("of lives without a length: %v, %d", p, n)
	}
}
