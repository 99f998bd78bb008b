package procfs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReadHost returns what the machine tells about itself.
func ReadHost() (Host, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return Host{}, fmt.Errorf("reading the kernel's name: %w", err)
	}
	memory, swap := machineMemory("/proc/meminfo")
	return Host{
		Name:        unix.ByteSliceToString(u.Nodename[:]),
		Kernel:      unix.ByteSliceToString(u.Release[:]),
		Arch:        unix.ByteSliceToString(u.Machine[:]),
		CPUs:        onlineCPUs("/sys/devices/system/cpu/online"),
		PageSize:    uint64(os.Getpagesize()),
		MaxMapCount: readNumber("/proc/sys/vm/max_map_count"),
		Overcommit:  readWord("/proc/sys/vm/overcommit_memory"),
		Memory:      memory,
		Swap:        swap,
		BootUnix:    bootTime("/proc/stat"),
	}, nil
}

// readNumber returns the decimal number in a file, 0 if there is none.
func readNumber(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// readWord returns the text in a file without blanks around it, "" if there is none.
func readWord(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// machineMemory returns how much memory and swap there is in bytes, 0 if it is not
// told.
func machineMemory(path string) (memory, swap uint64) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0
	}
	eachLine(text, func(key, value string) {
		switch key {
		case "MemTotal":
			memory = kilobytes(value)
		case "SwapTotal":
			swap = kilobytes(value)
		}
	})
	return memory, swap
}

func onlineCPUs(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	return parseCPUList(strings.TrimSpace(string(text)))
}

func bootTime(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	return parseBootTime(f)
}

// parseBootTime returns the btime line of /proc/stat, 0 if there is none.
func parseBootTime(r io.Reader) int64 {
	br := bufio.NewReader(r) // lines can be longer than a Scanner takes
	for {
		line, err := br.ReadString('\n')
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n
		}
		if err != nil {
			return 0
		}
	}
}

// parseCPUList counts the CPUs in a list such as "0-3,8,10-11", 0 if it is none.
func parseCPUList(s string) int {
	n := 0
	for part := range strings.SplitSeq(s, ",") {
		first, last, ok := strings.Cut(part, "-")
		if !ok {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || b < a {
			return 0
		}
		n += b - a + 1
	}
	return n
}
