package procfs

import (
	"testing"
	"time"
)

func TestParseTimeOffsets(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"monotonic           0         0\nboottime            0         0\n": 0,
		"monotonic       86400         7\nboottime            5         0\n": 24*time.Hour + 7,
		"monotonic         -10 500000000\nboottime            0         0\n": -9500 * time.Millisecond,
		"1 3 0\n7 0 0\n": 3 * time.Second,
	} {
		if got, err := parseTimeOffsets([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := parseTimeOffsets([]byte("boottime 0 0\n")); err == nil {
		t.Error("no monotonic clock, and no error")
	}
}
