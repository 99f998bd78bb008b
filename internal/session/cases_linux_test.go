package session

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A build is a way to compile a fixture.
type build struct {
	name  string
	flags []string
	// nameless says that the C library has no unwind tables and keeps no frame
	// pointers: who called its mmap cannot be known, only how much is left of each
	// mapping.
	nameless bool
}

var caseBuilds = []build{
	{"O2", []string{"-O2", "-fomit-frame-pointer"}, false},
	{"O0", []string{"-O0"}, false},
	{"frame-pointers", []string{"-O2", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"}, false},
	{"static", []string{"-O2", "-static"}, false},
	{"raw", []string{"-O2", "-DRAW"}, false},
	{"raw-static", []string{"-O2", "-DRAW", "-static"}, false},
	{"musl", []string{"CC=musl-gcc", "-O2", "-static"}, true},
	{"clang", []string{"CC=clang-19", "-O2"}, false},
}

// wrappers are functions of C libraries that lie between a program's function
// and the kernel; with debug information those inlined into them, too, and the
// fixture's own bare call.
var wrappers = regexp.MustCompile(`^(__GI_)?(__)*(mmap|munmap|mremap|shmat|brk|brk_call|sbrk|syscall|raw6)(64)?(_internal)?$`)

// mallocs cover what lies between malloc's caller and the kernel.
var mallocs = regexp.MustCompile(`malloc|^alloc|^__libc_alloc|^mmap`)

// direct returns the function that called the C library, which only s15 does by
// way of malloc; empty if the path does not tell.
func direct(frames []stack.Frame) string {
	for _, f := range frames {
		switch {
		case wrappers.MatchString(f.Function):
		case planted.MatchString(f.Function):
			return f.Function
		case !mallocs.MatchString(f.Function):
			return ""
		}
	}
	return ""
}

var planted = regexp.MustCompile(`^s\d\d_`)

// outstandingByCaller returns the report's outstanding bytes by direct caller.
func outstandingByCaller(r *report.Report) map[string]uint64 {
	got := make(map[string]uint64)
	for _, p := range r.Paths {
		got[direct(p.Frames)] += p.Bytes
	}
	return got
}

// outstandingBySize returns the outstanding bytes of each mapping under the name
// of the function whose truth has its size.
func outstandingBySize(r *report.Report, truth map[string]uint64) map[string]uint64 {
	got := make(map[string]uint64)
	for _, p := range r.Paths {
		for _, m := range p.Mappings {
			name := ""
			for f, n := range truth {
				if n == m.Live {
					name = f
				}
			}
			got[name] += m.Live
		}
	}
	return got
}

// failuresByCaller returns the report's failures as the fixture tells its own.
func failuresByCaller(r *report.Report) []testutil.Failure {
	var fs []testutil.Failure
	for _, f := range r.Failures {
		fs = append(fs, testutil.Failure{Func: direct(f.Frames), Call: f.Call, Errno: f.Errno, Count: int(f.Count)})
	}
	return sortFailures(fs)
}

func sortFailures(fs []testutil.Failure) []testutil.Failure {
	slices.SortFunc(fs, func(a, b testutil.Failure) int {
		return cmp.Or(cmp.Compare(a.Func, b.Func), cmp.Compare(a.Call, b.Call))
	})
	return fs
}

// anonymous sums failures up by call and error.
func anonymous(fs []testutil.Failure) []testutil.Failure {
	sums := make(map[testutil.Failure]int)
	for _, f := range fs {
		n := f.Count
		f.Func, f.Count = "", 0
		sums[f] += n
	}
	var out []testutil.Failure
	for f, n := range sums {
		f.Count = n
		out = append(out, f)
	}
	return sortFailures(out)
}

// TestCases attaches to the 19 cases in all builds and compares what each
// function has outstanding with what it says it has.
func TestCases(t *testing.T) { cases(t, caseBuilds, ordering) }

func cases(t *testing.T, builds []build, o probe.Order) {
	var table []string
	for _, b := range builds {
		for name, follow := range map[string]bool{"": false, "-follow": true} {
			t.Run(b.name+name, func(t *testing.T) {
				p := testutil.Start(t, testutil.Compile(t, "cases.c", b.flags...), "all")
				s := start(t, p.PID(), Config{Follow: follow, Order: o})
				var lines []string
				runUntil(t, s, func() { lines = p.Run() })
				checkOracle(t, s)
				checkExact(t, s)
				checkCounted(t, s)
				table = append(table, judgeCases(t, b, lines, finalReport(s)))
				p.Close()
			})
		}
	}
	slices.Sort(table)
	t.Log("\n" + strings.Join(table, "\n"))
}

// judgeCases compares a report with the lines of the fixture and returns the
// build's score.
func judgeCases(t *testing.T, b build, lines []string, r *report.Report) string {
	t.Helper()
	truth, got := testutil.Truths(t, lines), outstandingByCaller(r)
	if b.nameless {
		got = outstandingBySize(r, truth)
	}
	const viaMalloc = "s15_malloc"
	if got[viaMalloc] == 0 { // its caller is above libc's own functions, which keep no frame pointers
		got[viaMalloc] = got[""]
		delete(got, "")
	}
	right := 0
	for f, n := range truth {
		if got[f] == n {
			right++
		}
	}
	want := maps.Clone(truth)
	maps.DeleteFunc(want, func(_ string, n uint64) bool { return n == 0 })
	if !maps.Equal(got, want) || len(truth) != 19 {
		t.Errorf("outstanding by caller:\ngot  %v\nwant %v", got, want)
		for _, p := range r.Paths {
			t.Logf("%d %s %+v", p.Bytes, p.Call, p.Frames)
		}
	}
	gotFailures, wantFailures := failuresByCaller(r), sortFailures(testutil.Failures(t, lines))
	if b.nameless {
		gotFailures, wantFailures = anonymous(gotFailures), anonymous(wantFailures)
	}
	if !slices.Equal(gotFailures, wantFailures) {
		t.Errorf("failures:\ngot  %v\nwant %v", gotFailures, wantFailures)
	}
	return t.Name() + ": " + score(right, len(truth), len(got), len(want))
}

func score(right, of, paths, true int) string {
	return fmt.Sprintf("%d of %d, %d false paths", right, of, max(0, paths-true))
}
