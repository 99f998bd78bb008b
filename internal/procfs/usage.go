package procfs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Usage is what one process uses. Sizes are bytes.
type Usage struct {
	Size                       uint64 // of the address space
	RSSAnon, RSSFile, RSSShmem uint64
	Swap                       uint64
	PageTables                 uint64
	Hugetlb                    uint64
	Threads                    uint64
	// MinorFaults and MajorFaults are page faults since the process began, those of
	// threads that have ended, too.
	MinorFaults, MajorFaults uint64
	// CPU is the time in nanoseconds that all threads have run so far, those that
	// have ended, too.
	CPU event.Time
}

// clockTick is the unit of times in /proc, 1/100 s on every architecture of ours.
const clockTick event.Time = 10e6

// RSS returns the sum of the three.
func (u *Usage) RSS() uint64 { return u.RSSAnon + u.RSSFile + u.RSSShmem }

// A HostUsage is how much memory the machine has left. Sizes are bytes.
type HostUsage struct {
	Available              uint64
	SwapFree               uint64
	Committed, CommitLimit uint64
	SwappedIn, SwappedOut  uint64 // pages since the machine began
}

// parseUsage reads the texts of /proc/PID/status and /proc/PID/stat. It wants a
// size, which a process that is ending has no more.
func parseUsage(status, stat []byte) (Usage, error) {
	var u Usage
	eachLine(status, func(key, value string) {
		switch key {
		case "VmSize":
			u.Size = kilobytes(value)
		case "RssAnon":
			u.RSSAnon = kilobytes(value)
		case "RssFile":
			u.RSSFile = kilobytes(value)
		case "RssShmem":
			u.RSSShmem = kilobytes(value)
		case "VmSwap":
			u.Swap = kilobytes(value)
		case "VmPTE":
			u.PageTables = kilobytes(value)
		case "HugetlbPages":
			u.Hugetlb = kilobytes(value)
		case "Threads":
			u.Threads, _ = strconv.ParseUint(value, 10, 64)
		}
	})
	if u.Size == 0 {
		return u, fmt.Errorf("reading the size of a process: %w", ErrNoProcess)
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // f[0] is field 3 of proc_pid_stat(5)
	if len(f) < 13 {
		return u, fmt.Errorf("fields are missing: %.80q", stat)
	}
	u.MinorFaults, _ = strconv.ParseUint(f[7], 10, 64)
	u.MajorFaults, _ = strconv.ParseUint(f[9], 10, 64)
	user, _ := strconv.ParseUint(f[11], 10, 48)
	system, _ := strconv.ParseUint(f[12], 10, 48)
	u.CPU = event.Time(user+system) * clockTick
	return u, nil
}

// parseHostUsage reads the texts of /proc/meminfo and /proc/vmstat.
func parseHostUsage(meminfo, vmstat []byte) HostUsage {
	var u HostUsage
	eachLine(meminfo, func(key, value string) {
		switch key {
		case "MemAvailable":
			u.Available = kilobytes(value)
		case "SwapFree":
			u.SwapFree = kilobytes(value)
		case "Committed_AS":
			u.Committed = kilobytes(value)
		case "CommitLimit":
			u.CommitLimit = kilobytes(value)
		}
	})
	for line := range bytes.Lines(vmstat) {
		switch key, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" ")); string(key) {
		case "pswpin":
			u.SwappedIn, _ = strconv.ParseUint(string(value), 10, 64)
		case "pswpout":
			u.SwappedOut, _ = strconv.ParseUint(string(value), 10, 64)
		}
	}
	return u
}

// eachLine calls fn for each line "key: value" with its value trimmed.
func eachLine(text []byte, fn func(key, value string)) {
	for line := range bytes.Lines(text) {
		if key, value, ok := bytes.Cut(line, []byte(":")); ok {
			fn(string(key), string(bytes.TrimSpace(value)))
		}
	}
}

// kilobytes returns the bytes that "1234 kB" stands for, 0 for anything else.
func kilobytes(value string) uint64 {
	n, err := strconv.ParseUint(strings.TrimSuffix(value, " kB"), 10, 54)
	if err != nil {
		return 0
	}
	return n << 10
}
