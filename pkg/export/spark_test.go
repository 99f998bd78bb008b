package export

import "testing"

func TestSpark(t *testing.T) {
	for _, tt := range []struct {
		levels []uint64
		want   string
	}{
		{nil, ""},
		{[]uint64{0, 0}, ""},
		{[]uint64{7}, "█"},
		{[]uint64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]uint64{0, 1 << 63, 1<<64 - 1}, "▁▅█"},
		{ramp(600, 60), "▁▂▂▂▃▃▃▄▄▅▅▅▆▆▆▇▇▇██"},
		{plateau(600, 60), "▂▃▄▅▆▇██████████████"},
	} {
		if got := spark(tt.levels); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.levels, got, tt.want)
		}
	}
}
