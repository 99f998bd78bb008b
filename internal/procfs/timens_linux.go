package procfs

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"time"
)

// MonotonicOffset returns by how much CLOCK_MONOTONIC is ahead of the host's in the
// caller's time namespace, 0 in the host's.
func MonotonicOffset() (time.Duration, error) {
	text, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0, err
	}
	return parseTimeOffsets(text)
}

// parseTimeOffsets reads lines "clock seconds nanoseconds".
func parseTimeOffsets(text []byte) (time.Duration, error) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var clock string
		var s, ns int64
		if n, _ := fmt.Sscan(lines.Text(), &clock, &s, &ns); n == 3 && (clock == "monotonic" || clock == "1") {
			return time.Duration(s)*time.Second + time.Duration(ns), nil
		}
	}
	return 0, fmt.Errorf("no offset of the monotonic clock: %.80q", text)
}
