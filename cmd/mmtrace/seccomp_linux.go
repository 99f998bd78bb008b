package main

import (
	"bufio"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// filtered reports whether this process has a seccomp filter, as containers and
// services do.
func filtered() bool {
	f, err := os.Open("/proc/thread-self/status")
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if mode, ok := strings.CutPrefix(s.Text(), "Seccomp:"); ok {
			return strings.TrimSpace(mode) == "2" // SECCOMP_MODE_FILTER
		}
	}
	return false
}

// forbidsBPF reports whether a seccomp filter keeps a process from bpf(2) that has
// the capabilities for it: no command has this number, which the kernel says with
// EINVAL.
func forbidsBPF() bool {
	if !filtered() {
		return false
	}
	_, _, errno := unix.Syscall(unix.SYS_BPF, 1<<20, 0, 0)
	return errno != unix.EINVAL
}

// checkFilter says whether a seccomp filter is in the way. Without the capabilities
// that cannot be told.
func checkFilter() check {
	missing, err := missingCaps(allCaps[:2])
	inner, ok := inUserNamespace()
	switch {
	case !filtered():
		return pass("seccomp", "no filter")
	case err != nil || len(missing) > 0 || ok && inner:
		return pass("seccomp", "a filter; whether it forbids bpf(2) shows once the capabilities are there")
	case forbidsBPF():
		return check{Name: "seccomp", State: stateFail, code: exitNotPermitted,
			Text: "a filter (Seccomp: 2 in /proc/self/status), which forbids bpf(2)", Next: withoutFilter}
	}
	return pass("seccomp", "a filter, which lets bpf(2) through")
}
