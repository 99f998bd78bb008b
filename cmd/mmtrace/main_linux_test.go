package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/export"
)

func TestMain(m *testing.M) {
	// Live tests wait for the kernel more than they compute.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"mmtrace": main})
}

// TestScripts runs the scripts in testdata. Beside testscript's own commands
// they have
//
//	run CODE [ARG...]     run mmtrace, want this exit code; its outputs are in
//	                      the files out and err
//	nobody CODE [ARG...]  the same as a user without rights
//
// and in the environment the ids of processes of each kind that cannot be
// traced, and lists that grow with the formats.
func TestScripts(t *testing.T) {
	env := append(targetEnv(t), listEnv()...)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return runsAsRoot(), nil
			case "traces": // tracing is permitted here
				return checkPrivileges() == nil, nil
			case "lock": // the kernel has the lock's hook, and faults do not pass it
				return atLeast(6, 4), nil
			case "kthread":
				return lookup(env, "KTHREAD") != "0", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run":    func(ts *testscript.TestScript, _ bool, args []string) { runScript(ts, args, nil) },
			"nobody": func(ts *testscript.TestScript, _ bool, args []string) { runScript(ts, args, nobody) },
		},
	})
}

var update = flag.Bool("update", false, "write the wanted outputs in scripts anew")

var nobody = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}

func runScript(ts *testscript.TestScript, args []string, attr *syscall.SysProcAttr) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	self, err := os.Open("/proc/self/exe") // nobody may not reach it by its path
	ts.Check(err)
	defer self.Close()
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{Path: "/proc/self/fd/3", Args: append([]string{"mmtrace"}, args[1:]...),
		Stdout: &out, Stderr: &errs, ExtraFiles: []*os.File{self}, SysProcAttr: attr, Dir: ts.Getenv("WORK")}
	if attr != nil {
		cmd.Dir = "/"
	}
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "NO_COLOR", "GORACE"} {
		cmd.Env = append(cmd.Env, key+"="+ts.Getenv(key))
	}
	err = cmd.Run()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("mmtrace %s: exit code %d, want %d\n%s", shellQuote(args[1:]...), got, want, &errs)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("err"), errs.Bytes(), 0o644))
}

// listEnv returns what error messages and help list.
func listEnv() []string {
	return []string{
		"EXTENSIONS=" + orList(knownExtensions()),
		"REPORT_EXTENSIONS=" + orList(export.Extensions()),
		"FORMATS=" + orList(export.Formats()),
		"FORMAT_CHOICE=" + strings.Join(export.Formats(), "|"),
		"SORTS=" + orList(export.Sorts()),
		"VALUES=" + orList(export.FoldedValues()),
		"VERSION=" + versionText(),
	}
}

// targetEnv starts or finds a process of each kind.
func targetEnv(t *testing.T) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"SELF=" + exe,
		fmt.Sprintf("PID=%d", os.Getpid()),
		"COMM=" + strings.TrimSpace(string(comm)),
		fmt.Sprintf("THREAD=%d", testutil.AnotherThread(t)),
		fmt.Sprintf("ZOMBIE=%d", aZombie(t)),
		fmt.Sprintf("KTHREAD=%d", aKernelThread()),
	}
}

func lookup(env []string, key string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			return v
		}
	}
	return ""
}

// atLeast tells whether the kernel is of that version or newer.
func atLeast(major, minor int) bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		panic(err) // it cannot fail
	}
	var x, y int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &x, &y); err != nil {
		panic(err)
	}
	return x > major || x == major && y >= minor
}

func aZombie(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	for range 5000 {
		if _, err := procfs.Open(event.PID(cmd.Process.Pid)); errors.Is(err, procfs.ErrZombie) {
			return cmd.Process.Pid
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("true does not end")
	return 0
}

// aKernelThread returns 0 if this pid namespace has none.
func aKernelThread() int {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if s, err := procfs.ParseStat(text); err == nil && s.Kernel() {
			return int(s.PID)
		}
	}
	return 0
}
