package main

import (
	"io/fs"
	"strings"
)

// allCaps are the capabilities that tracing takes: the first two to load and
// attach BPF programs, the third to read other users' processes.
var allCaps = []string{"cap_bpf", "cap_perfmon", "cap_sys_ptrace"}

// moreCaps are capabilities that add something, and what is missing without
// them. An easy one is worth having on a machine of several users.
var moreCaps = []struct {
	name, use string
	easy      bool
}{
	{"cap_dac_read_search", "of other users' processes neither what is in memory, nor names from files that you may not read", true},
	{"cap_checkpoint_restore", "no names from libraries that were removed while in use", false},
	{"cap_sys_nice", "events may be lost when the process keeps every CPU busy", false},
	{"cap_sys_admin", "not how much time the process loses by the tracing; it permits far more, so go without", false},
}

// A privilegeError says which capabilities are missing for what. It is
// fs.ErrPermission.
type privilegeError struct {
	doing   string   // "load BPF programs"
	missing []string // of allCaps, in that order; none in a user namespace, where all are worth nothing
	filter  bool     // the capabilities are there, and a seccomp filter is in the way
}

func (e *privilegeError) Error() string {
	if e.filter {
		return "not permitted to " + e.doing + ": a seccomp filter forbids bpf(2)"
	}
	if len(e.missing) == 0 {
		return "not permitted to " + e.doing + " from inside a user namespace"
	}
	return "not permitted to " + e.doing + " (missing: " + strings.Join(e.missing, ", ") + ")"
}

func (e *privilegeError) Is(target error) bool { return target == fs.ErrPermission }

const loadPrograms = "load BPF programs"

// checkPrivileges returns a privilegeError unless BPF programs may be loaded. It
// names all of allCaps that are missing, since most processes take them all.
func checkPrivileges() error {
	missing, err := missingCaps(allCaps)
	if err != nil {
		return err
	}
	for _, name := range missing {
		if name != allCaps[2] {
			return &privilegeError{doing: loadPrograms, missing: missing}
		}
	}
	if inner, ok := inUserNamespace(); ok && inner {
		return &privilegeError{doing: loadPrograms}
	}
	if forbidsBPF() {
		return &privilegeError{doing: loadPrograms, filter: true}
	}
	return nil
}

// deniedProcess explains that a process may not be read: err, or that the
// capability for it is missing.
func deniedProcess(what string, err error) error {
	missing, cerr := missingCaps(allCaps[2:])
	if cerr != nil || len(missing) == 0 {
		return err
	}
	return &privilegeError{doing: "read " + what, missing: missing}
}
