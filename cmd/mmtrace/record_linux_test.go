package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

var reportNames = []string{"txt", "json", "folded", "diff.folded", "pb.gz"}

// outputsOf returns -o for one report of each kind in dir that goes with options.
func outputsOf(dir, name string, options ...string) []string {
	var args []string
	for _, ext := range reportNames {
		if ext == "diff.folded" && slices.Contains(options, "resident") {
			continue
		}
		args = append(args, "-o", filepath.Join(dir, name+"."+ext))
	}
	return args
}

// sameReports requires the reports a and b in dir to be equal.
func sameReports(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "a.*"))
	if err != nil || len(files) < len(reportNames)-1 {
		t.Fatalf("%d reports, %v", len(files), err)
	}
	for _, file := range files {
		ext := strings.TrimPrefix(filepath.Base(file), "a.")
		live, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(filepath.Join(dir, "b."+ext))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(live, again) {
			t.Errorf("%s: the report of the trace and that of its recording differ:\n%s\n---\n%s", ext, live, again)
		}
	}
}

func TestRecordingGivesTheSameReports(t *testing.T) {
	needTracing(t)
	fixture := func(source string, args ...string) *testutil.Proc {
		return testutil.Start(t, testutil.Compile(t, source, "-O1"), args...)
	}
	cases, chaos, storm := fixture("cases.c", "all"), fixture("chaos.c", "1", "4", "2"), fixture("storm.c", "5")
	shared := fixture("shm.c", fmt.Sprintf("mmtrace-test-%d", os.Getpid()), t.TempDir())
	t.Cleanup(shared.Close) // it removes its shared memory
	pid := func(p *testutil.Proc) string { return fmt.Sprint(p.PID()) }
	for _, tt := range []struct {
		name   string
		target *testutil.Proc // works while it is traced
		args   []string
		again  []string // options of the report, too
	}{
		{"cases", cases, []string{"-p", pid(cases), "-d", "1"}, nil},
		{"chaos", chaos, []string{"-p", pid(chaos), "-f", "-d", "1.5"},
			[]string{"--sort", "resident", "--folded-value", "resident"}},
		{"several", storm, []string{"-p", pid(cases) + "," + pid(storm), "-f", "-d", "1"},
			[]string{"--sort", "age", "-T", "2", "-z", "16K", "--folded-value", "count"}},
		{"command", nil, []string{"--", "ls", "/"}, nil},
		{"pipeline", nil, []string{"-f", "--", "sh", "-c", "ls / | cat | wc -l; exec ls"}, nil},
		{"killed", nil, []string{"--", "sh", "-c", "kill -9 $$"}, []string{"-z", "1"}},
		{"files", shared, []string{"-p", pid(shared), "-d", "1"}, nil},
		{"silence", nil, []string{"-p", pid(cases), "-d", "0.2"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			rec := filepath.Join(dir, "x.mmtrace")
			live := newRun(t, slices.Concat([]string{"-o", rec}, outputsOf(dir, "a", tt.again...), tt.again, tt.args)...)
			live.start()
			if tt.target != nil {
				live.attached()
				tt.target.Run()
			}
			if r := live.wait(); r.code != exitOK && tt.name != "killed" {
				t.Fatalf("exit code %d\n%s", r.code, r.err)
			}
			again := mmtrace(t, slices.Concat([]string{"report", rec}, outputsOf(dir, "b", tt.again...), tt.again)...)
			if again.code != exitOK || again.err != "" {
				t.Fatalf("exit code %d\n%s", again.code, again.err)
			}
			sameReports(t, dir)
		})
	}
}

// A recorder that is killed leaves what it had up to about a second before.
func TestRecordingOfAKilledTracer(t *testing.T) {
	needTracing(t)
	p := testutil.Start(t, testutil.Compile(t, "chaos.c", "-O1"), "20", "2", "0")
	p.Send("go")
	rec := filepath.Join(t.TempDir(), "x.mmtrace")
	r := newRun(t, "record", "-o", rec, "-p", fmt.Sprint(p.PID()))
	r.start()
	waitUntil(t, "some chunks of the recording", func() bool {
		info, err := os.Stat(rec)
		return err == nil && info.Size() > 64<<10
	})
	r.cmd.Process.Signal(syscall.SIGKILL)
	if got := r.wait(); got.code != 128+9 {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	got := mmtrace(t, "report", rec)
	if got.code != exitFailure || !strings.HasPrefix(got.err, "mmtrace: reading "+rec+": ") ||
		!strings.Contains(got.err, "recording is incomplete") {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	if want := fmt.Sprintf("chaos (pid %d)", p.PID()); !strings.HasPrefix(got.out, want) {
		t.Errorf("the report begins with %.40q, want %q", got.out, want)
	}
}
