package main

import (
	"io/fs"
	"strings"
)

// allCaps are the capabilities that tracing takes: the first two to load and
// attach BPF programs, the third to read other users' processes.
var allCaps = []string{"cap_bpf", "cap_perfmon", "cap_sys_ptrace"}

// A privilegeError says which capabilities are missing. It is fs.ErrPermission.
type privilegeError struct {
	missing []string // of allCaps, in that order
}

func (e *privilegeError) Error() string {
	return "not permitted to load BPF programs (missing: " + strings.Join(e.missing, ", ") + ")"
}

func (e *privilegeError) Is(target error) bool { return target == fs.ErrPermission }

// checkPrivileges returns a privilegeError unless tracing is permitted.
func checkPrivileges() error {
	missing, err := missingCaps()
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return &privilegeError{missing}
	}
	return nil
}
