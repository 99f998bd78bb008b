package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// inNamespace prepares a shell script that runs in namespaces of its own, with
// this program as "$M" and PID as "$P". What it mounts is gone with it.
func inNamespace(t *testing.T, flags []string, pid int, script string) *running {
	t.Helper()
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	path, err := exec.LookPath("unshare")
	if err != nil {
		testutil.Need(t, "unshare(1)")
	}
	r := newRun(t)
	r.cmd.Path = path
	r.cmd.Args = append(append([]string{"unshare"}, flags...), "sh", "-ec", script)
	r.cmd.Env = append(r.cmd.Env, "M="+selfLink(t), fmt.Sprintf("P=%d", pid))
	return r
}

func TestWithoutWhatTracingNeeds(t *testing.T) {
	needTracing(t)
	p := sleeper(t)
	for _, tt := range []struct {
		name, hide string
		code       int
		err        []string // lines that the messages have
	}{
		{"BTF", "mount -t tmpfs none /sys/kernel/btf", exitFailure, []string{
			"mmtrace: reading the kernel's types: ",
			"  why:   mmtrace doctor",
			"  try:   a kernel with CONFIG_DEBUG_INFO_BTF=y; in a container, mount /sys",
		}},
		{"tracefs", "umount -l /sys/kernel/tracing 2>/dev/null || :; umount -l /sys/kernel/debug 2>/dev/null || :", exitOK,
			[]string{"tracing cases ("}},
		{"proc", "mount -t tmpfs none /proc", exitFailure, []string{"mmtrace: ", "  try:   mount -t proc proc /proc"}},
	} {
		r := inNamespace(t, []string{"-m"}, p.PID(), tt.hide+"\nexec $M -p $P -d 0.1")
		r.start()
		got := r.wait()
		if got.code != tt.code {
			t.Errorf("without %s: exit code %d, want %d\n%s", tt.name, got.code, tt.code, got.err)
		}
		for _, want := range tt.err {
			if !strings.Contains("\n"+got.err, "\n"+want) {
				t.Errorf("without %s: no line %q in\n%s", tt.name, want, got.err)
			}
		}
	}
}

// A disk that fills up costs the file, and is said with its name; the other
// reports are written.
func TestFullDisk(t *testing.T) {
	needTracing(t)
	p := sleeper(t)
	const mount = "mkdir full; mount -t tmpfs -o size=4k none full; dd if=/dev/zero of=full/z bs=4k count=1 2>/dev/null\n"
	for _, tt := range []struct{ script, file string }{
		{"exec $M -q -p $P -d 0.2 -o full/a.json -o -", "full/a.json"},
		{"exec $M -q -p $P -d 1.2 -o full/a.mmtrace -o -", "full/a.mmtrace"},
		{"exec $M -q -o full/a.mmtrace -o - -- ls -R /proc/self/task >/dev/null", "full/a.mmtrace"},
		{"exec $M record -q -o full/a.mmtrace -p $P -d 1.2", "full/a.mmtrace"},
		{"exec $M -q -p $P -d 0.1 >/dev/full", "standard output"},
	} {
		r := inNamespace(t, []string{"-m"}, p.PID(), mount+tt.script)
		r.start()
		got := r.wait()
		want := "mmtrace: writing " + tt.file + ": no space left on device\n"
		if got.code != exitFailure || !strings.HasPrefix(got.err, want) {
			t.Errorf("%s: exit code %d, messages %q, want %q", tt.script, got.code, got.err, want)
		}
		if strings.Contains(tt.script, "-o - -p") || strings.HasSuffix(tt.script, "-o -") {
			tells(t, got.out, `cases \(pid \d+\)`, `traced for `)
		}
	}
}

// selfLink returns a path of this program that makes it mmtrace.
func selfLink(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "mmtrace")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	return link
}
