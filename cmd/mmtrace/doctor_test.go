package main

import (
	"slices"
	"strings"
	"testing"
)

var someChecks = []check{
	pass("kernel", "6.12.0 x86_64, %d CPUs", 4),
	{Name: "map", State: stateWarn, Text: "60000 regions of 65530 allowed"},
	{Name: "capabilities", State: stateFail, Text: "missing: cap_bpf", Next: "sudo <mmtrace> \x1b", code: exitNotPermitted},
}

func TestWriteChecks(t *testing.T) {
	var b strings.Builder
	if err := writeChecks(&b, someChecks, false); err != nil {
		t.Fatal(err)
	}
	want := `ok    kernel         6.12.0 x86_64, 4 CPUs
warn  map            60000 regions of 65530 allowed
fail  capabilities   missing: cap_bpf
                     -> sudo <mmtrace> \x1b

mmtrace cannot trace here: see the lines that say fail.
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Reset()
	if err := writeChecks(&b, someChecks[:1], true); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "\x1b[32mok  \x1b[0m  kernel         6.12.0 x86_64, 4 CPUs\n\nmmtrace can trace here.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriteChecksJSON(t *testing.T) {
	var b strings.Builder
	if err := writeChecksJSON(&b, someChecks[1:]); err != nil {
		t.Fatal(err)
	}
	want := `{
  "schema": "mmtrace.doctor/v1",
  "ok": false,
  "checks": [
    {
      "name": "map",
      "state": "warn",
      "text": "60000 regions of 65530 allowed"
    },
    {
      "name": "capabilities",
      "state": "fail",
      "text": "missing: cap_bpf",
      "next": "sudo <mmtrace> \u001b"
    }
  ]
}
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVerdictOf(t *testing.T) {
	fail := func(code int) check { return check{State: stateFail, code: code} }
	warn := check{State: stateWarn}
	tests := []struct {
		checks []check
		want   int
	}{
		{[]check{warn}, exitOK},
		{[]check{warn, fail(0)}, exitFailure},
		{[]check{fail(exitNotPermitted)}, exitNotPermitted},
		{[]check{fail(exitNoTarget)}, exitNoTarget},
		{[]check{fail(exitNoTarget), fail(exitNotPermitted)}, exitNotPermitted},
		{[]check{fail(exitNotPermitted), fail(0), fail(exitNoTarget)}, exitFailure},
	}
	for _, tt := range tests {
		if got := verdictOf(tt.checks); got != tt.want {
			t.Errorf("verdictOf(%v) = %d, want %d", tt.checks, got, tt.want)
		}
	}
}

// What doctor says of capabilities that are missing.
func TestDoctorCaps(t *testing.T) {
	var b strings.Builder
	var names []string
	for _, c := range moreCaps {
		names = append(names, c.name)
	}
	for _, checks := range [][]check{
		{capsMissing(&privilegeError{doing: loadPrograms, missing: []string{"cap_perfmon"}})},
		{capsMissing(&privilegeError{doing: loadPrograms})},
		{ptraceMissing([]string{"cap_sys_ptrace"})},
		moreCapsChecks(names), moreCapsChecks(names[1:2]), moreCapsChecks(nil),
	} {
		if err := writeChecks(&b, checks, false); err != nil {
			t.Fatal(err)
		}
	}
	get, easy := toGet(allCaps, []string{"cap_perfmon"}), ""
	if !runsAsRoot() {
		easy = "                     -> " + setcapLine(append(slices.Clone(allCaps), names[0])) + "\n"
	}
	want := `fail  capabilities   missing: cap_perfmon
                     -> ` + get + `

mmtrace cannot trace here: see the lines that say fail.
fail  capabilities   those of a user namespace (a rootless container?) do not count for BPF
                     -> run mmtrace on the host, as root there: it can trace what runs in a rootless container, too

mmtrace cannot trace here: see the lines that say fail.
warn  capabilities   missing: cap_sys_ptrace: other users' processes cannot be traced, or not all of them is seen
                     -> ` + toGet(allCaps, []string{"cap_sys_ptrace"}) + `

mmtrace can trace here.
ok    more rights    no cap_dac_read_search: of other users' processes neither what is in memory, nor names from files that you may not read
` + easy + `ok    more rights    no cap_checkpoint_restore: no names from libraries that were removed while in use
ok    more rights    no cap_sys_nice: events may be lost when the process keeps every CPU busy
ok    more rights    no cap_sys_admin: not how much time the process loses by the tracing; it permits far more, so go without

mmtrace can trace here.
ok    more rights    cap_dac_read_search, cap_sys_nice, cap_sys_admin
ok    more rights    no cap_checkpoint_restore: no names from libraries that were removed while in use

mmtrace can trace here.
ok    more rights    cap_dac_read_search, cap_checkpoint_restore, cap_sys_nice, cap_sys_admin

mmtrace can trace here.
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
