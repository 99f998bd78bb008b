package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// A confinement is a way in which a target sees only a part of the machine, and
// what comes of tracing it from outside, and by an mmtrace in the same place.
type confinement struct {
	name            string
	outside, inside string
}

const noUserNamespace = "exit code 4: not permitted to load BPF programs from inside a user namespace"

// confinements are all kinds of namespaces, alone and as containers have them. In
// each script $A is the program of the target, $R an empty directory.
var confinements = []struct {
	confinement
	flags  []string // of unshare
	script string   // runs in the namespaces and becomes the target
	nobody bool     // who starts it has no rights
}{
	{confinement{"pid", "traced", "traced"}, []string{"--pid", "--fork", "--mount-proc"}, "exec $A", false},
	{confinement{"mount, its program on a file system of its own", "traced", "traced"}, []string{"--mount"},
		"mount -t tmpfs none $R; cp $A $R/app; exec $R/app", false},
	{confinement{"user", "traced", noUserNamespace}, []string{"--user", "--map-root-user"}, "exec $A", false},
	{confinement{"user, of a user without rights", "traced", noUserNamespace}, []string{"--user", "--map-root-user"}, "exec $A", true},
	{confinement{"cgroup", "traced", "traced"}, []string{"--cgroup"}, "exec $A", false},
	{confinement{"time, a day ahead", "traced", "traced"}, []string{"--time", "--monotonic", "86400", "--fork"}, "exec $A", false},
	{confinement{"net, ipc and uts", "traced", "traced"}, []string{"--net", "--ipc", "--uts"}, "exec $A", false},
	{confinement{"chroot", "traced", "traced"}, []string{"--mount"}, chrootScript, false},
	{confinement{"container", "traced", "traced"},
		[]string{"--pid", "--fork", "--mount", "--cgroup", "--net", "--ipc", "--uts"}, chrootScript, false},
	{confinement{"rootless container", "traced", noUserNamespace},
		[]string{"--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--cgroup", "--net", "--ipc", "--uts"}, "exec $A", true},
}

const chrootScript = "mount -t tmpfs none $R; mkdir $R/proc $R/sys; cp $A $R/app; cp $M $R/mmtrace\n" +
	"mount -t proc proc $R/proc; mount --rbind /sys $R/sys; exec chroot $R /app"

// Whatever a target is confined to, it is traced from outside, and from inside
// where the kernel takes BPF programs from.
func TestConfinements(t *testing.T) {
	needTracing(t)
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	for _, tool := range []string{"unshare", "nsenter", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			testutil.Need(t, tool+"(1)")
		}
	}
	app := publicCopy(t, testutil.Compile(t, "cases.c", "-O1", "-static"), "app", 0o755)
	tool := publicCopy(t, staticTool(t), "mmtrace", 0o755)
	var got, want []confinement
	for _, c := range confinements {
		want = append(want, c.confinement)
		start := func() (*testutil.Proc, int) {
			cmd := exec.Command("unshare", append(c.flags, "sh", "-ec", c.script+" s02_munmap_tail")...)
			cmd.Env = append(os.Environ(), "A="+app, "M="+tool, "R="+t.TempDir())
			cmd.Dir = "/"
			if c.nobody {
				cmd.SysProcAttr = nobody
			}
			p := testutil.StartCmd(t, cmd)
			return p, confined(t, p.PID())
		}
		now := confinement{name: c.name}
		p, pid := start()
		now.outside = traceConfined(t, p, pid, exec.Command(tool, "-p", fmt.Sprint(pid)))
		p, pid = start()
		inner := innerPID(t, pid)
		args := []string{"-t", fmt.Sprint(pid), "-a", "-r", "-w", "--", tool, "-p", fmt.Sprint(inner)}
		if c.script == chrootScript {
			args[6] = "/mmtrace"
		}
		now.inside = traceConfined(t, p, inner, exec.Command("nsenter", args...))
		got = append(got, now)
	}
	var b strings.Builder
	for _, c := range got {
		fmt.Fprintf(&b, "%-46s | %-6s | %s\n", c.name, c.outside, c.inside)
	}
	t.Logf("namespaces of the target, then how tracing goes from outside and from inside:\n%s", &b)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(confinement{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// confined returns the process that unshare became, or that it forked.
func confined(t *testing.T, pid int) int {
	t.Helper()
	for _, c := range childrenOf(pid) {
		return c
	}
	return pid
}

// innerPID returns the id of a process in its own pid namespace.
func innerPID(t *testing.T, pid int) int {
	t.Helper()
	p, err := procfs.Open(event.PID(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := p.Status()
	if err != nil || len(s.NSpid) == 0 {
		t.Fatalf("status %+v, %v", s, err)
	}
	return int(s.NSpid[len(s.NSpid)-1])
}

// traceConfined has cmd trace the target and returns "traced" if the report is
// right in all, else what is wrong.
func traceConfined(t *testing.T, p *testutil.Proc, pid int, cmd *exec.Cmd) string {
	t.Helper()
	defer p.Close()
	r := newRun(t)
	r.cmd.Path, r.cmd.Args = cmd.Path, append(cmd.Args, "-d", "0", "-F", "json", "--strict")
	r.cmd.Dir = "/"
	r.start()
	if text, ok := strings.CutPrefix(r.firstLine(), "mmtrace: "); ok {
		return fmt.Sprintf("exit code %d: %s", r.wait().code, text)
	}
	truths := testutil.Truths(t, p.Run())
	if err := syscall.Kill(confined(t, r.cmd.Process.Pid), syscall.SIGINT); err != nil { // nsenter may fork
		t.Fatal(err)
	}
	got := r.wait()
	rep := parseReport(t, got.out)
	switch want := truths["s02_munmap_tail"]; {
	case got.code != exitOK:
		return fmt.Sprintf("exit code %d: %s", got.code, got.err)
	case rep.Totals.OutstandingBytes != want || len(rep.Paths) != 1:
		return fmt.Sprintf("%d bytes in %d paths, want %d", rep.Totals.OutstandingBytes, len(rep.Paths), want)
	case len(rep.Targets) != 1 || rep.Targets[0].PID != pid:
		return fmt.Sprintf("targets %+v, want process %d", rep.Targets, pid)
	}
	return describeRights(t, got, false)
}
