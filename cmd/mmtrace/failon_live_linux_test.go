package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// A condition that holds is the exit code, after the report; beside a command it
// comes before the command's own.
func TestFailOnLive(t *testing.T) {
	needTracing(t)
	p := testutil.Start(t, testutil.Compile(t, "many.c", "-O2"), "1000")
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "1", "-F", "json", "--sort", "resident",
		"--fail-on", "count>999", "--fail-on", "mappings>1000", "--fail-on", "resident>1M", "--fail-on", "lost>0")
	r.start()
	r.attached()
	p.Run()
	got := r.wait()
	want := "\nmmtrace: --fail-on 'count>999': count is 1000\nmmtrace: --fail-on 'mappings>1000': mappings is "
	if got.code != exitFailOn || !strings.Contains(got.err, want) || strings.Count(got.err, "--fail-on") != 2 ||
		!strings.Contains(got.out, `"resident_unknown_bytes": 0`) {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	for condition, want := range map[string]int{"outstanding>1": exitFailOn, "outstanding>100G": 7} {
		got := mmtrace(t, "-q", "--no-resident", "--fail-on", condition, "--", "sh", "-c", "exit 7")
		if got.code != want {
			t.Errorf("%s: exit code %d\n%s", condition, got.code, got.err)
		}
	}
}

// Shared memory that is left behind and how much of the leaks is in memory are
// conditions, too.
func TestFailOnLeftBehind(t *testing.T) {
	needTracing(t)
	p := testutil.Start(t, testutil.Compile(t, "shm.c", "-O2"), fmt.Sprintf("mmtrace-failon-%d", os.Getpid()), t.TempDir())
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "1", "-F", "json",
		"--fail-on", "left-behind>100K", "--fail-on", "leaked-resident>100G", "--fail-on", "reserved>100G", "--fail-on", "committed>100G")
	r.start()
	r.attached()
	p.Run()
	got := r.wait()
	p.Close() // which removes it
	want := "\nmmtrace: --fail-on 'left-behind>100K': left-behind is "
	if got.code != exitFailOn || !strings.Contains(got.err, want) || strings.Count(got.err, "--fail-on") != 1 {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
}
