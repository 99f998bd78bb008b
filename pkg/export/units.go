package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// nbsp joins a number and its unit until the page is written: it is a blank that
// lines are not broken at. printable never lets one through.
const nbsp = "\u00a0"

// size writes n bytes with a binary unit: "512 B", "24.0 MiB".
func size(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + nbsp + "B"
	}
	v, unit := float64(n), 0
	for v >= 1023.95 && unit < len("KMGTPE") {
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f%s%ciB", v, nbsp, " KMGTPE"[unit])
}

// signedSize writes n bytes with its sign: "+132.0 KiB".
func signedSize(n int64) string {
	switch {
	case n > 0:
		return "+" + size(uint64(n))
	case n < 0:
		return "-" + size(-uint64(n))
	}
	return size(0)
}

// rate writes v bytes per second with its sign: "+716.8 KiB/s".
func rate(v float64) string {
	if math.IsNaN(v) || math.Abs(v) > math.MaxInt64/2 {
		return "unknown rate"
	}
	return signedSize(int64(math.Round(v))) + "/s"
}

// span writes a duration: "850 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
func span(t event.Time) string {
	const ms, s = 1e6, 1e9
	switch {
	case t <= 0:
		return "0" + nbsp + "s"
	case t < ms:
		return "under" + nbsp + "1" + nbsp + "ms"
	case t < s-ms/2:
		return fmt.Sprintf("%d%sms", (t+ms/2)/ms, nbsp)
	case t < 60*s-50*ms:
		return fmt.Sprintf("%.1f%ss", float64((t+50*ms)/(100*ms))/10, nbsp)
	}
	n := uint64(t+s/2) / s
	switch {
	case n < 60*60:
		return two(n, 60, "min", "s")
	case n < 48*60*60:
		return two(n/60, 60, "h", "min")
	}
	return two(n/3600, 24, "d", "h")
}

// two writes n small units as large and small ones.
func two(n, ratio uint64, large, small string) string {
	return fmt.Sprintf("%d%s%s%s%d%s%s", n/ratio, nbsp, large, nbsp, n%ratio, nbsp, small)
}

// number writes n with thousands separators: "1,204".
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// count writes n things: "1 mapping", "26 mappings".
func count(n uint64, thing string) string {
	if n == 1 {
		return "1" + nbsp + thing
	}
	return number(n) + nbsp + thing + "s"
}

// are is the verb that goes with n things.
func are(n uint64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// share writes part of whole in percent, rounded down to a tenth: "100 %" is all
// of it, never nearly all.
func share(part, whole uint64) string {
	if whole == 0 || part >= whole {
		return "100" + nbsp + "%"
	}
	f := math.Floor(float64(part)/float64(whole)*1000) / 10
	if f >= 100 {
		f = 99.9
	}
	if f == 0 && part > 0 {
		return "under" + nbsp + "0.1" + nbsp + "%"
	}
	return fmt.Sprintf("%.1f%s%%", f, nbsp)
}
