package verdict

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// Trend tests whether levels go one way (Mann 1945, Kendall 1975): it returns
// the probability that a series without a trend looks as much like one, and
// whether the trend is upwards. It counts pairs, so one jump does not decide.
func Trend(levels []uint64) (p float64, up bool) {
	n := len(levels)
	if n < 4 {
		return 1, false
	}
	s := 0
	ties := make(map[uint64]int)
	for i, a := range levels {
		ties[a]++
		for _, b := range levels[i+1:] {
			switch {
			case b > a:
				s++
			case b < a:
				s--
			}
		}
	}
	f := func(n int) float64 { return float64(n) * float64(n-1) * float64(2*n+5) }
	v := f(n)
	for _, t := range ties {
		v -= f(t)
	}
	v /= 18
	if v <= 0 {
		return 1, false
	}
	z := math.Abs(float64(s)) - 1
	z = max(0, z) / math.Sqrt(v)
	return math.Erfc(z / math.Sqrt2), s > 0
}

// Span writes a length of time for people, to two or three digits.
func Span(t event.Time) string {
	d := time.Duration(t)
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.1f min", d.Minutes())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%d us", d.Microseconds())
}

// number writes n with separators for thousands: "1,204".
func number[T int | uint64](n T) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
