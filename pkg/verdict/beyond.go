package verdict

import (
	"math"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// tailDeaths is the share of the longest lives by which the end of lives is judged.
const tailDeaths = 0.1

// Beyond counts the mappings that are older than any that was unmapped ever got, and
// returns the probability that so little of them is unmapped by chance, given the
// ages of those that still live.
//
// At worst the longer something has lived the less likely it goes: by the law of
// Pareto a tenth more of age is as risky at any age. Then each of the n longest lives
// ends with equal chance in any part of all the log ages lived through from where
// these n begin,
//
//	         before                 after
//	|-------------------------|---------------|
//	their start         longest life      oldest
//
// and that all end in the part before is (before / (before + after))^n. It is the
// question of cure models, whether those left are followed up for long enough (Maller
// and Zhou 1996). Lives are known to within a quarter, and are taken for longer.
func (l *Lifetimes) Beyond(ages []event.Time) (p float64, beyond int) {
	if l.n == 0 {
		return 1, 0
	}
	longest := l.Quantile(1)
	first := bucket(l.Quantile(1 - tailDeaths))
	if first == 0 {
		return 1, 0
	}
	start := float64(upper(first - 1))
	var n, before, after float64
	for b := int(first); b < nBuckets; b++ {
		died := float64(l.counts[uint8(b)])
		n += died
		before += died * math.Log(float64(upper(uint8(b)))/start)
	}
	for _, age := range ages {
		if float64(age) > start {
			before += math.Log(float64(min(age, longest)) / start)
		}
		if age > longest {
			after += math.Log(float64(age) / float64(longest))
			beyond++
		}
	}
	return math.Exp(-n * math.Log1p(after/before)), beyond
}
