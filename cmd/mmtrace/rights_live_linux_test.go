package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// setFileCaps does what setcap(8) does: it writes the capabilities of an
// executable, in the form of struct vfs_cap_data (include/uapi/linux/capability.h).
func setFileCaps(t *testing.T, path string, names []string) {
	t.Helper()
	const revision2, effective = 0x02000000, 1
	var bits [2]uint32
	own, err := ownCaps()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range capability.ListKnown() {
		// A program whose file has one that this machine gives to nobody cannot be run.
		if slices.Contains(names, c.String()) && own.Get(capability.BOUNDING, c) {
			bits[c/32] |= 1 << (c % 32)
		}
	}
	data := make([]byte, 20)
	binary.LittleEndian.PutUint32(data, revision2|effective)
	binary.LittleEndian.PutUint32(data[4:], bits[0])
	binary.LittleEndian.PutUint32(data[12:], bits[1])
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		testutil.Need(t, "files with capabilities: "+err.Error())
	}
}

// publicCopy copies a file to where every user may run it.
func publicCopy(t *testing.T, from, name string, mode os.FileMode) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mmtrace-rights-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	to := filepath.Join(dir, name)
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// A rightsRow is what a user who is not root can do with some capabilities:
// with processes of their own, with those of root, and with those of root whose
// program they may not read.
type rightsRow struct {
	caps               string
	own, other, hidden string
}

// rightsTable is what each set of capabilities is good for. "traced" is all that
// root has; what is missing stands behind it.
var rightsTable = []rightsRow{
	{"", "cap_bpf, cap_perfmon, cap_sys_ptrace", "cap_bpf, cap_perfmon, cap_sys_ptrace", "cap_bpf, cap_perfmon, cap_sys_ptrace"},
	{"bpf", "cap_perfmon, cap_sys_ptrace", "cap_perfmon, cap_sys_ptrace", "cap_perfmon, cap_sys_ptrace"},
	{"perfmon", "cap_bpf, cap_sys_ptrace", "cap_bpf, cap_sys_ptrace", "cap_bpf, cap_sys_ptrace"},
	{"sys_ptrace dac_read_search sys_nice checkpoint_restore", "cap_bpf, cap_perfmon", "cap_bpf, cap_perfmon", "cap_bpf, cap_perfmon"},
	{"bpf perfmon", "traced -cost", "traced -cost -memory -program", "traced -cost -memory -program -names"},
	{"bpf perfmon sys_ptrace", "traced -cost", "traced -cost -memory", "traced -cost -memory -names"},
	{"bpf perfmon sys_ptrace sys_resource syslog checkpoint_restore", "traced -cost", "traced -cost -memory", "traced -cost -memory -names"},
	{"bpf perfmon sys_ptrace sys_nice", "traced -cost +priority", "traced -cost -memory +priority", "traced -cost -memory -names +priority"},
	{"bpf perfmon sys_ptrace dac_read_search", "traced -cost", "traced -cost", "traced -cost"},
	{"bpf perfmon dac_read_search", "traced -cost", "traced -cost -program", "traced -cost -program"},
	{"sys_admin", "traced", "traced -memory -program", "traced -memory -program -names"},
	{"sys_admin sys_ptrace dac_read_search sys_nice", "traced +priority", "traced +priority", "traced +priority"},
}

// withoutPtrace is what rows without CAP_SYS_PTRACE have on kernels where CAP_PERFMON
// does not open the maps of other users' processes (may_access_mm, kernel/fork.c): on
// 6.12, not on 6.18. In between both are right.
func withoutPtrace(t *testing.T, row, got rightsRow) rightsRow {
	t.Helper()
	if strings.Contains(row.caps, "sys_ptrace") || !strings.HasPrefix(row.other, "traced") || kernelIs(t, 6, 18) {
		return row
	}
	if !kernelIs(t, 6, 13) || got.other == "cap_sys_ptrace" {
		row.other, row.hidden = "cap_sys_ptrace", "cap_sys_ptrace"
	}
	return row
}

// rightsTool returns a copy of the program whose file may be given capabilities. Until
// the test ends the statistics of BPF programs are on only for who may have them.
func rightsTool(t *testing.T) string {
	t.Helper()
	needTracing(t)
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	testutil.LockMachine(t)
	if testutil.ReadSysctl(t, bpfStats) != 0 {
		testutil.Sysctl(t, bpfStats, 0)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return publicCopy(t, exe, "mmtrace", 0o755)
}

const bpfStats = "kernel/bpf_stats_enabled"

// Where the administrator has switched the statistics of BPF programs on, the cost is
// known without CAP_SYS_ADMIN.
func TestRightsWithStatisticsOn(t *testing.T) {
	tool := rightsTool(t)
	testutil.Sysctl(t, bpfStats, 1)
	setFileCaps(t, tool, []string{"bpf", "perfmon", "sys_ptrace"})
	target := publicCopy(t, testutil.Compile(t, "cases.c", "-O2", "-static"), "leaks", 0o755)
	if got := tryRights(t, tool, target, nobody); got != "traced" {
		t.Errorf("%s, want traced", got)
	}
}

// Each set of capabilities gives what the table says, and what is missing is named.
func TestRightsTable(t *testing.T) {
	tool := rightsTool(t)
	leaks := testutil.Compile(t, "cases.c", "-O2", "-static")
	public := publicCopy(t, leaks, "leaks", 0o755)
	private := publicCopy(t, leaks, "leaks", 0o700)

	var got, want []rightsRow
	for _, row := range rightsTable {
		setFileCaps(t, tool, strings.Fields(row.caps))
		now := rightsRow{row.caps, tryRights(t, tool, public, nobody), tryRights(t, tool, public, nil), tryRights(t, tool, private, nil)}
		got, want = append(got, now), append(want, withoutPtrace(t, row, now))
	}
	var b strings.Builder
	for _, r := range got {
		fmt.Fprintf(&b, "%-60s | %-36s | %-36s | %s\n", r.caps, r.own, r.other, r.hidden)
	}
	t.Logf("capabilities, then what they give of one's own process, root's, and root's of a file that may not be read:\n%s", &b)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(rightsRow{})); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}

func kernelIs(t *testing.T, major, minor int) bool {
	t.Helper()
	h, err := procfs.ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	var a, b int
	if n, _ := fmt.Sscanf(h.Kernel, "%d.%d", &a, &b); n != 2 {
		t.Fatalf("kernel %q", h.Kernel)
	}
	return a > major || a == major && b >= minor
}

// tryRights has nobody trace a process of owner, nil for root, and returns how that
// went: the missing capabilities, or "traced" and what is not as root has it.
func tryRights(t *testing.T, tool, target string, owner *syscall.SysProcAttr) string {
	t.Helper()
	cmd := exec.Command(target, "s02_munmap_tail")
	cmd.Dir = "/"
	cmd.SysProcAttr = owner
	p := testutil.StartCmd(t, cmd)
	defer p.Close()
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "0", "-o", "-", "-F", "json")
	r.cmd.Path, r.cmd.Dir, r.cmd.SysProcAttr = tool, "/", nobody
	r.start()
	if text, ok := strings.CutPrefix(r.firstLine(), "mmtrace: "); ok {
		got := r.wait()
		_, missing, ok := strings.Cut(text, "(missing: ")
		if got.code != exitNotPermitted || !ok {
			return fmt.Sprintf("exit code %d: %s", got.code, text)
		}
		return strings.TrimSuffix(missing, ")")
	}
	p.Run()
	ahead := hasPriority(t, r.cmd.Process.Pid)
	r.cmd.Process.Signal(os.Interrupt)
	return describeRights(t, r.wait(), ahead)
}

// firstLine waits for the first line of standard error.
func (r *running) firstLine() string {
	r.t.Helper()
	waitUntil(r.t, "a line of mmtrace", func() bool { return strings.Contains(r.err.String(), "\n") })
	line, _, _ := strings.Cut(r.err.String(), "\n")
	return line
}

// hasPriority reports whether a thread of a process is preferred by the scheduler.
func hasPriority(t *testing.T, pid int) bool {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range tasks {
		var tid int
		fmt.Sscan(e.Name(), &tid)
		if nice, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && nice > 20 { // 20 less the nice value
			return true
		}
	}
	return false
}

func describeRights(t *testing.T, got result, ahead bool) string {
	t.Helper()
	if got.code != exitOK {
		return fmt.Sprintf("exit code %d: %s", got.code, got.err)
	}
	var r struct {
		Targets []struct{ Exe string }
		Quality struct {
			Verified             bool
			Lost                 int   `json:"lost"`
			Live                 int64 `json:"live_bytes"`
			Same                 int64 `json:"verified_bytes"`
			Denied               int64 `json:"resident_denied_bytes"`
			Unknown              int64 `json:"resident_unknown_bytes"`
			Incomplete, Nameless int
		}
		Paths []struct {
			Frames []struct{ Function string }
			Oldest int64 `json:"oldest_age_ns"`
		}
		Cost struct {
			Not string `json:"not_measured"`
		}
	}
	if err := json.Unmarshal([]byte(got.out), &r); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	s := "traced"
	if !r.Quality.Verified || r.Quality.Live != r.Quality.Same || r.Quality.Lost != 0 || len(r.Paths) == 0 {
		s = fmt.Sprintf("not exact (%+v)", r.Quality)
	}
	if r.Cost.Not == "right" {
		s += " -cost"
	}
	if r.Quality.Denied > 0 {
		s += " -memory"
	} else if r.Quality.Unknown > 0 {
		s += " (what is in memory is not known)"
	}
	if len(r.Targets) != 1 || r.Targets[0].Exe == "" {
		s += " -program"
	}
	planted := false
	for _, p := range r.Paths {
		if p.Oldest <= 0 || time.Duration(p.Oldest) > got.took {
			s += fmt.Sprintf(" (mapped %v ago in %v)", time.Duration(p.Oldest), got.took)
		}
		for _, f := range p.Frames {
			planted = planted || f.Function == "s02_munmap_tail"
		}
	}
	if !planted {
		s += " -names"
	}
	if ahead {
		s += " +priority"
	}
	return s
}
