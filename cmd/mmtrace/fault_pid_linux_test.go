package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// ownPIDs are the namespaces in which process ids can be chosen.
var ownPIDs = []string{"--pid", "--fork", "--mount-proc"}

// namespaceReport runs a script that leaves a JSON report in the file report.
func namespaceReport(t *testing.T, flags []string, script string, args ...any) (faultReport, result) {
	t.Helper()
	r := inNamespace(t, flags, 0, fmt.Sprintf(script, args...))
	r.start()
	got := r.wait()
	text, err := os.ReadFile(filepath.Join(r.cmd.Dir, "report"))
	if err != nil {
		t.Errorf("%v: exit code %d\n%s", err, got.code, got.err)
	}
	rep, _ := readFaults(string(text))
	return rep, got
}

// fixtureReport traces the work of a fixture, which still lives when the window
// ends.
func fixtureReport(t *testing.T, flags []string, fixture string) (faultReport, result) {
	t.Helper()
	return namespaceReport(t, flags, `
		mkfifo in out
		%s <in >out & target=$!
		exec 3>in 4<out
		read -r line <&4 && test "$line" = ready
		$M -f -d 0 -z 1 -o report -F json -p $target 2>err & tracer=$!
		until grep -q tracing err; do sleep 0.01; done
		echo go >&3
		while read -r line <&4; do [ "$line" != done ] || break; done
		kill -TERM $tracer
		wait $tracer || { cat err >&2; exit 1; }
		echo exit >&3
		wait $target`, fixture)
}

// A hundred children of the same process id are a hundred processes.
func TestFaultPIDReusedByChildren(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "process id used again by followed children")
	const children = 100
	exe := testutil.Compile(t, "samepid.c", "-O2")
	rep, got := fixtureReport(t, ownPIDs, fmt.Sprintf("%s %d 1000", exe, children))
	page := uint64(os.Getpagesize())
	right := got.code == exitOK && rep.Quality.Lost == 0 && rep.Quality.Verified && rep.Quality.Extra+rep.Quality.Unexplained == 0 &&
		rep.byFunction("samepid_parent") == 3*children*page && rep.byFunction("samepid_child") == 0 &&
		rep.Totals.Calls["mmap"] >= 2*children && len(rep.Targets) == 1+children &&
		rep.Targets[1].PID == 1000 && rep.Targets[children].PID == 1000 && rep.Targets[children].Use == children
	if !right {
		t.Errorf("exit code %d\n%s\n%+v", got.code, got.err, rep)
	}
	row.Add(rep.Quality.Lost, right)
}

// A process that gets the id of the target right after its end is not traced.
func TestFaultPIDReusedByAStranger(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "process id of the target used again by a stranger")
	exe := testutil.Compile(t, "pairs.c", "-O2")
	for range faultRuns(3) {
		rep, got := namespaceReport(t, ownPIDs, `
			echo 1999 >/proc/sys/kernel/ns_last_pid; sleep 100 & test $! = 2000
			$M -d 20 -z 1 -o report -F json -p 2000 2>err & tracer=$!
			until grep -q tracing err; do sleep 0.01; done
			kill 2000; wait 2000 || :
			echo 1999 >/proc/sys/kernel/ns_last_pid; (echo go; sleep 1; echo exit) | %s 0.5 &
			wait $tracer`, exe)
		right := got.code == exitOK && rep.Window.StoppedBy == "exit" && len(rep.Targets) == 1 &&
			rep.Targets[0].Ended == "killed by SIGTERM" && len(rep.Totals.Calls) == 0 && rep.Quality.Lost == 0
		if !right {
			t.Errorf("exit code %d\n%s\n%+v", got.code, got.err, rep)
		}
		row.Add(rep.Quality.Lost, right)
	}
}

// In a time namespace the clock of user space is not the kernel's.
func TestFaultTimeNamespace(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "clock moved by 11 days in a time namespace")
	exe := testutil.Compile(t, "cases.c", "-O2")
	for _, offset := range []int{1_000_000, -1} {
		rep, got := fixtureReport(t, []string{"--time", "--fork", "--monotonic", fmt.Sprint(offset)}, exe+" all")
		right := got.code == exitOK && rep.Quality.Lost == 0 && rep.Quality.Verified && rep.Quality.Extra+rep.Quality.Unexplained == 0 &&
			got.took < 20*time.Second && rep.Window.Duration < uint64(got.took) && len(rep.Paths) > 0
		for _, p := range rep.Paths {
			right = right && p.Oldest > 0 && p.Oldest < rep.Window.Duration
		}
		if !right {
			t.Errorf("offset %d: exit code %d in %v\n%s\n%+v", offset, got.code, got.took, got.err, rep)
		}
		row.Add(rep.Quality.Lost, right)
	}
}
