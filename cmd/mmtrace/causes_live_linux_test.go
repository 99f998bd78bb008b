package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// numbers with their units, and what else differs from run to run.
var numbers = regexp.MustCompile(`\d+([.,]\d+)*(\s?([KMGT]?i?B(/s)?|ms|min|us|s|h|m)\b)?`)

// masked returns text as one line with N for every number.
func masked(text string) string { return numbers.ReplaceAllString(joined(text), "N") }

// answerOf returns the answer of a report, from its first line to the blank line
// behind "next", masked; and the first ten lines, likewise.
func answerOf(report string) (answer, ten string) {
	lines := strings.Split(report, "\n")
	parts := strings.SplitN(report, "\n\n", 3)
	return masked(strings.Join(parts[:min(2, len(parts))], "\n")), masked(strings.Join(lines[:min(10, len(lines))], "\n"))
}

// meetLimit traces the fixture while it does what args say.
func meetLimit(t *testing.T, args ...string) string {
	t.Helper()
	return traceLimit(t, testutil.Start(t, testutil.Compile(t, "testdata/c/limits.c", "-O2"), args...))
}

func traceLimit(t *testing.T, p *testutil.Proc) string {
	t.Helper()
	r := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "0")
	r.start()
	r.attached()
	p.Run()
	r.cmd.Process.Signal(os.Interrupt)
	got := r.wait()
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	p.Close()
	return got.out
}

// checkAnswer compares the whole answer, in which cause stands in the first ten
// lines.
func checkAnswer(t *testing.T, report, cause string, want ...string) {
	t.Helper()
	answer, ten := answerOf(report)
	if diff := cmp.Diff(strings.Join(want, " "), answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s\n%s", diff, report)
	}
	if !strings.Contains(ten, cause) {
		t.Errorf("the first ten lines do not tell %q:\n%s", cause, report)
	}
}

const (
	nothingLeft = "held Nothing that was mapped in this window is still mapped."
	forWindow   = "sure yes, for this window: stopped after N, N calls seen, N events lost, map verified N %."
	isSure      = "sure yes: stopped after N, N calls seen, N events lost, map verified N %."
	longerTrace = "next If it grows all the same, trace for longer: sudo mmtrace -p N -d N"
)

// More than the kernel may promise: the limit leaves other processes 16 GiB.
func TestCommitLimitIsNamed(t *testing.T) {
	needTracing(t)
	testutil.LockMachine(t)
	usage, err := procfs.OpenHostUsage()
	if err != nil {
		t.Fatal(err)
	}
	defer usage.Close()
	u, err := usage.Read()
	if err != nil {
		t.Fatal(err)
	}
	h, err := procfs.ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	const room = 16 << 30
	ratio, kbytes := testutil.ReadSysctl(t, "vm/overcommit_ratio"), (u.Committed+room-h.Swap)>>10
	if old := testutil.ReadSysctl(t, "vm/overcommit_kbytes"); old > 0 {
		testutil.Sysctl(t, "vm/overcommit_kbytes", kbytes)
	} else { // each of the two sets the other to 0
		testutil.Sysctl(t, "vm/overcommit_ratio", ratio)
		testutil.SetSysctl(t, "vm/overcommit_kbytes", kbytes)
	}
	testutil.Sysctl(t, "vm/overcommit_memory", 2)
	report := meetLimit(t, "promise", "64")
	const cause = "limit mmap failed N times with ENOMEM. The kernel promises no more memory than CommitLimit (vm.overcommit_memory = N): " +
		"of N, N were promised. A larger vm.overcommit_ratio, or swap, makes room."
	checkAnswer(t, report, cause, "limits (pid N): no path leaks", cause, nothingLeft, forWindow, longerTrace)
}

// More at once than the machine has.
func TestMappingLargerThanMemoryIsNamed(t *testing.T) {
	needTracing(t)
	testutil.LockMachine(t)
	testutil.Sysctl(t, "vm/overcommit_memory", 0)
	h, err := procfs.ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	report := meetLimit(t, "promise", fmt.Sprint((h.Memory+h.Swap)>>30+2))
	const cause = "limit mmap failed N times with ENOMEM. It is larger than all memory and swap of the machine (N), which vm.overcommit_memory = N does not allow."
	checkAnswer(t, report, cause, "limits (pid N): no path leaks",
		cause, "Map less at once, or reserve with PROT_NONE and open by mprotect what is needed.", nothingLeft, forWindow, longerTrace)
}

// More address space than the process may have.
func TestAddressLimitIsNamed(t *testing.T) {
	needTracing(t)
	testutil.LockMachine(t) // with all the limits as they are
	exe := testutil.Compile(t, "testdata/c/limits.c", "-O2")
	p := testutil.Start(t, "/bin/sh", "-c", "ulimit -v 500000 && exec "+exe+" promise 1")
	const cause = "limit mmap failed N times with ENOMEM. The address space may be no larger than N (ulimit -v), and has N. A larger ulimit -v makes room."
	checkAnswer(t, traceLimit(t, p), cause, "limits (pid N): no path leaks", cause, nothingLeft, forWindow, longerTrace)
}

// As many mappings as there may be. Other tests need nearly as many.
func TestMapCountIsNamed(t *testing.T) {
	needTracing(t)
	testutil.LockMachine(t)
	testutil.Sysctl(t, "vm/max_map_count", min(testutil.ReadSysctl(t, "vm/max_map_count"), 65530)-7)
	report := meetLimit(t, "mappings", "120")
	const cause = "limit mmap failed N times with ENOMEM. The process has as many mappings as it may (vm.max_map_count = N). A larger vm.max_map_count makes room."
	checkAnswer(t, report, cause, "limits (pid N): N path leaks N (+N)", cause,
		"where load_block, limits.c:N, in limits of it N in memory.",
		"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window.",
		isSure, "next Look for the munmap that load_block or its callers owe; the path is below.")
	if !strings.Contains(report, "mmap failed 7 times") {
		t.Errorf("it failed 7 times:\n%s", report)
	}
}

// Address space that is reserved, opened and given back is told from memory.
func TestAddressSpaceIsNoMemory(t *testing.T) {
	needTracing(t)
	testutil.LockMachine(t) // with all the limits as they are
	for _, tt := range []struct {
		what  string
		cause string
		want  []string
	}{
		{"slots", "limits (pid N): N path leaks N of address space (+N)", []string{
			"where reserve_heap, limits.c:N, in limits",
			"of it N has no access (PROT_NONE), N may be touched; N in memory.",
			"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window; " +
				"all of it is reserved and has no access (PROT_NONE): it is address space, not memory.",
			isSure, "next Look for the munmap that reserve_heap or its callers owe; the path is below."}},
		{"reserve", "limits (pid N): no leak found, but N path grows: N (+N)", []string{
			"where reserve_heap, limits.c:N, in limits",
			"of it N has no access (PROT_NONE), N may be touched; N in memory.",
			"why It holds no more address space, but makes more and more of it accessible through the whole window.",
			forWindow, "next Look for what opens more of it by mprotect and never gives it back; the path below has reserved it."}},
		{"purge", "limits (pid N): no leak found, but N path grows: N of address space (+N)", []string{
			"where new_chunk, limits.c:N, in limits", "of it N in memory.",
			"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window; " +
				"but madvise gives its memory back again and again: VIRT is kept for later use, RSS is returned, so this is no leak.",
			forWindow, "next Judge it by RSS, not by VIRT: what madvise gives back is free for others."}},
		{"trim", "limits (pid N): N path leaks N of address space (+N)", []string{
			"where new_chunk, limits.c:N, in limits", "of it N in memory, N of it only until the kernel needs it (MADV_FREE).",
			"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window; " +
				"madvise gave its memory back: VIRT is kept, RSS counts it only until the kernel needs it (MADV_FREE), so it is address space, not memory.",
			isSure, "next Look for the munmap that new_chunk or its callers owe; the path is below."}},
		{"cool", "limits (pid N): no leak found, but N path grows: N of address space (+N)", []string{
			"where new_chunk, limits.c:N, in limits", "of it N in memory, N of it only until the kernel needs it (MADV_FREE).",
			"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window; " +
				"but madvise gives its memory back again and again: VIRT is kept for later use, RSS counts it only until the kernel needs it (MADV_FREE), so this is no leak.",
			forWindow, "next Judge it by RSS less LazyFree, which smaps_rollup of /proc tells: that much the kernel takes when it needs it."}},
		{"reuse", "limits (pid N): N path leaks N (+N)", []string{
			"where new_chunk, limits.c:N, in limits", "of it N in memory.",
			"why N of N mappings were never unmapped; the oldest is N old, and it went on through the whole window.",
			isSure, "next Look for the munmap that new_chunk or its callers owe; the path is below."}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			checkAnswer(t, meetLimit(t, tt.what, "110"), tt.cause, append([]string{tt.cause}, tt.want...)...)
		})
	}
}
