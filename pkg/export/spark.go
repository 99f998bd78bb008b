package export

import "slices"

// sparkWidth is the number of columns of a sparkline.
const sparkWidth = 20

// bars are the characters of a sparkline, the lowest first. Like the names in a
// report they are UTF-8 wherever the report goes.
var bars = []rune("▁▂▃▄▅▆▇█")

// spark draws levels as bars from nothing to the highest; "" if there are none.
// Each bar is the newest level of its part.
func spark(levels []uint64) string {
	if len(levels) == 0 {
		return ""
	}
	top := slices.Max(levels)
	if top == 0 {
		return ""
	}
	n := min(sparkWidth, len(levels))
	out := make([]rune, n)
	for i := range out {
		l := levels[(i+1)*len(levels)/n-1]
		out[i] = bars[int(float64(l)/float64(top)*float64(len(bars)-1)+0.5)]
	}
	return string(out)
}
