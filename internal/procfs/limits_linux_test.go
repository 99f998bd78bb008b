package procfs

import "testing"

func TestParseAddressLimit(t *testing.T) {
	const head = "Limit                     Soft Limit           Hard Limit           Units     \n" +
		"Max cpu time              unlimited            unlimited            seconds   \n"
	for text, want := range map[string]uint64{
		head + "Max address space         512000000            unlimited            bytes     \n": 512000000,
		head + "Max address space         unlimited            unlimited            bytes     \n": 0,
		head: 0, "Max address space": 0, "": 0,
	} {
		if got := parseAddressLimit([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
