package main

import (
	"bytes"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is said where a right is missing, with the next steps.
func TestPrivilegeErrors(t *testing.T) {
	args := []string{"-p", "1234"}
	var b bytes.Buffer
	for _, err := range []error{
		&privilegeError{doing: loadPrograms, missing: []string{"cap_perfmon", "cap_sys_ptrace"}},
		&privilegeError{doing: "read process 1234", missing: []string{"cap_sys_ptrace"}},
		&privilegeError{doing: loadPrograms},
		&privilegeError{doing: loadPrograms, filter: true},
	} {
		if code := exitCode(err); code != exitNotPermitted {
			t.Errorf("%v: exit code %d", err, code)
		}
		b.WriteString("mmtrace: " + err.Error() + "\n")
		writeAdvice(&b, advise(err, args))
	}
	steps := func(missing string) string {
		if runsAsRoot() {
			return "  try:   start the container or service with " + missing + "\n"
		}
		return "  try:   " + withSudo(args) + "\n  or:    " + setcapLine(allCaps) + "\n"
	}
	want := `mmtrace: not permitted to load BPF programs (missing: cap_perfmon, cap_sys_ptrace)
` + steps("cap_perfmon, cap_sys_ptrace") + `  why:   mmtrace doctor
mmtrace: not permitted to read process 1234 (missing: cap_sys_ptrace)
` + steps("cap_sys_ptrace") + `  why:   mmtrace doctor
mmtrace: not permitted to load BPF programs from inside a user namespace
  try:   run mmtrace on the host, as root there: it can trace what runs in a rootless container, too
  why:   mmtrace doctor
mmtrace: not permitted to load BPF programs: a seccomp filter forbids bpf(2)
  try:   start the container with --security-opt seccomp=unconfined, or --privileged; a service without SystemCallFilter=
  why:   mmtrace doctor
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of a process that may not be read it is said which capability is missing, unless
// it is there and something else is the reason.
func TestDeniedProcess(t *testing.T) {
	missing, err := missingCaps(allCaps[2:])
	if err != nil {
		t.Skip(err) // this system has none
	}
	denied := &fs.PathError{Op: "open", Path: "maps", Err: os.ErrPermission}
	want := error(denied)
	if len(missing) > 0 {
		want = &privilegeError{doing: "read process 1", missing: missing}
	}
	if got := deniedProcess("process 1", denied); got.Error() != want.Error() {
		t.Errorf("%v, want %v", got, want)
	}
}
