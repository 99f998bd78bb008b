package procfs

import (
	"bytes"
	"io"
	"strconv"
)

// AddressLimit returns how large p's address space may be in bytes (RLIMIT_AS); 0
// if that is not limited, or cannot be read.
func (p *Process) AddressLimit() uint64 {
	f, err := p.open("limits")
	if err != nil {
		return 0
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return 0
	}
	return parseAddressLimit(text)
}

// parseAddressLimit reads the text of /proc/PID/limits: name, soft limit, hard
// limit and unit in columns.
func parseAddressLimit(text []byte) uint64 {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("Max address space")); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseUint(string(f[0]), 10, 64) // "unlimited" is none
				return n
			}
		}
	}
	return 0
}
