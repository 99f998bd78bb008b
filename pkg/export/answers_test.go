package export

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

var goHeap = verdict.Owner{Name: "Go heap", Managed: true, What: "Memory of the Go runtime, which never unmaps it.",
	Advice: "The heap profile of net/http/pprof tells what is in use."}

// judged returns a path of a verdict with so many MiB.
func judged(k verdict.Kind, size uint64, why string, o verdict.Owner) report.Path {
	p := bufferPath()
	p.ID, p.Bytes, p.Anon, p.Rate, p.Levels = string(k), size*mib, size*mib, float64(size*mib)/30, ramp(size*mib, 60)
	p.Verdict, p.Owner = verdict.Verdict{Kind: k, Why: why, Enough: true}, o
	return p
}

func early(size uint64) report.Path {
	p := judged(verdict.Young, size, "Nothing left is older than 400 ms: too early to tell.", verdict.Owner{})
	p.Verdict.Enough, p.Verdict.Longer = false, 120*sec
	return p
}

func slow(size uint64) report.Path {
	p := judged(verdict.Growing, size, "3 of 3 mappings were never unmapped; the oldest is 29.6 s old: too few to be sure.", verdict.Owner{})
	p.Verdict.Enough, p.Verdict.Longer = false, 100*sec
	return p
}

const (
	neverUnmapped = "21 of 21 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window."
	keeps         = "7 of 7 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; but the Go heap keeps what it maps, so this alone is no leak."
	oneInFifty    = "It holds more and more, though 97 % of its mappings are unmapped within the window."
)

// with returns a quiet window with paths.
func with(paths ...report.Path) *report.Report {
	r := plainLeak()
	r.Paths = paths
	r.Totals.OutstandingBytes, r.Totals.OutstandingCount = 0, 0
	for i := range paths {
		r.Totals.OutstandingBytes += paths[i].Bytes
		r.Totals.OutstandingCount += paths[i].Count
	}
	return r
}

// changed returns r after a change.
func changed(r *report.Report, change func(r *report.Report)) *report.Report {
	change(r)
	return r
}

func placed(p report.Path, frames ...stack.Frame) report.Path {
	p.Frames = frames
	return p
}

// An answer is a report of which the part before the totals is kept in a file.
type answer struct {
	name   string
	report *report.Report
	opts   Options
}

// answers are all that the text has to say about verdicts.
var answers = []answer{
	{"a leak", plainLeak(), Options{}},
	{"a leak in color", plainLeak(), Options{Color: true}},
	{"a leak that is partly in memory", with(func() report.Path {
		p := judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{})
		p.Resident = report.Residence{Scanned: 20 * mib, Present: 12 * mib, Swapped: mib}
		return p
	}()), Options{}},
	{"a leak of malloc", with(judged(verdict.Leak, 21, neverUnmapped, blockOwner)), Options{}},
	{"a leak of one mapping that mremap makes larger", with(func() report.Path {
		p := judged(verdict.Leak, 21, "It is one mapping, and mremap made it larger through the whole window, and never smaller.", verdict.Owner{})
		p.Verdict.Swells, p.Count, p.MappedCount, p.Newest = true, 1, 1, p.Oldest
		return p
	}()), Options{}},
	{"four leaks, one of an unknown place and one without a stack", with(
		judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}),
		placed(judged(verdict.Leak, 8, neverUnmapped, verdict.Owner{}), stack.Frame{Module: "/opt/libvendor.so.3", Offset: 0x1234}),
		placed(judged(verdict.Leak, 4, neverUnmapped, verdict.Owner{})),
		placed(judged(verdict.Leak, 2, neverUnmapped, verdict.Owner{}), lib("mmap"), stack.Frame{Function: "run", Module: app}),
	), Options{Filter: Filter{Top: 2}}},
	{"a leak without a stack", with(placed(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}))), Options{}},
	{"a leak beside growth", with(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), slow(3), slow(2),
		judged(verdict.Growing, 28, keeps, goHeap)), Options{}},
	{"one path grows", with(slow(3)), Options{}},
	{"two paths grow, and that is certain", with(judged(verdict.Growing, 3, oneInFifty, verdict.Owner{}),
		judged(verdict.Growing, 2, oneInFifty, verdict.Owner{})), Options{}},
	{"only a runtime's heap grows", with(judged(verdict.Growing, 28, keeps, goHeap), judged(verdict.Growing, 4, keeps, goHeap)), Options{}},
	{"two heaps grow", with(judged(verdict.Growing, 28, keeps, goHeap), judged(verdict.Growing, 4, keeps,
		verdict.Owner{Name: "malloc heap", Managed: true, What: "The heap that malloc grows by brk.", Advice: "A heap profiler tells who holds what is in it."})), Options{}},
	{"one is too young", with(early(3)), Options{}},
	{"several are too young", with(early(3), early(1), judged(verdict.Once, 1, "It mapped once in this window.", verdict.Owner{})), Options{}},
	{"nothing grows", with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{}),
		judged(verdict.Cache, 1, "It grew and stopped: no new mapping in the last 20.0 s.", verdict.Owner{}),
		judged(verdict.Young, 1, "30 of 51 mappings were unmapped, after up to 200 ms; the oldest left is 150 ms old.", verdict.Owner{}),
		judged(verdict.Once, 1, "It mapped once in this window.", verdict.Owner{})), Options{}},
	{"nothing grows, all listed", with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{}),
		judged(verdict.Once, 1, "It mapped once in this window.", blockOwner)), Options{All: true}},
	{"one cache", with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{})), Options{}},
	{"nothing is left", quiet(), Options{NoNext: true}},
	{"a short window", changed(with(slow(3)), func(r *report.Report) { r.Window.Duration = 3 * sec }), Options{}},
	{"an interim report", changed(with(slow(3)), func(r *report.Report) { r.Window.StoppedBy = "interim" }), Options{}},
	{"an open window", changed(with(slow(3)), func(r *report.Report) { r.Window.StoppedBy, r.Window.Planned = "signal", 0 }), Options{}},
	{"a command that has ended", changed(with(slow(3)), func(r *report.Report) {
		r.Targets[0].Ended, r.Window.StoppedBy = "exited", "exit"
	}), Options{}},
	{"a command that has ended, with a cache", changed(with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{})), func(r *report.Report) {
		r.Targets[0].Ended, r.Targets[0].Cmdline = "exited", []string{"./server"}
	}), Options{}},
	{"callers that are not known", with(func() report.Path {
		p := judged(verdict.Growing, 3, "", verdict.Owner{})
		p.Frames = []stack.Frame{p.Frames[0], {Function: stack.Incomplete}}
		p.Verdict.Why = verdict.Uncalled(verdict.Verdict{Kind: verdict.Leak, Why: neverUnmapped}, p.Frames).Why
		return p
	}()), Options{}},
	{"a command that was traced from its exec and grew", changed(with(slow(3)), func(r *report.Report) {
		r.Targets[0].Ended, r.Window.StoppedBy, r.Window.FromExec = "exited", "exit", true
	}), Options{}},
	{"a command that was traced from its exec, with a cache", changed(with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{})), func(r *report.Report) {
		r.Targets[0].Ended, r.Targets[0].Cmdline, r.Window.FromExec, r.Window.Duration = "exited", []string{"./server"}, true, sec/5
	}), Options{}},
	{"a program that was executed", changed(with(slow(3)), func(r *report.Report) { r.Targets[0].Ended = "called exec" }), Options{}},
	{"a reservation that was trimmed", changed(with(judged(verdict.Once, 64, "It mapped once in this window.", goHeap)), func(r *report.Report) {
		r.Remnants = []report.Remnant{{Left: 64 * mib, Mapped: 128 * mib, Count: 1, Owner: goHeap}, {Left: 64 * mib, Mapped: 128 * mib, Count: 2, Owner: goHeap}}
	}), Options{}},
	{"events were lost, and a cache is left", changed(with(judged(verdict.Cache, 2, "It grew and stopped: no new mapping in the last 12.0 s.", verdict.Owner{})), func(r *report.Report) { r.Quality.Lost = 3 }), Options{}},
	{"not judged", with(func() report.Path { p := bufferPath(); p.Verdict, p.Levels = verdict.Verdict{}, nil; return p }()), Options{All: true}},
	{"a window of a day", changed(with(slow(3)), func(r *report.Report) {
		r.Window.Duration, r.Paths[0].Verdict.Longer = 86400*sec, 4*86400*event.Time(1e9)
	}), Options{}},
}

// TestAnswers compares what reports say before their totals, and after ABOUT.
func TestAnswers(t *testing.T) {
	checkAnswers(t, "testdata/answers.txt", answers)
}

func checkAnswers(t *testing.T, file string, answers []answer) {
	t.Helper()
	var b strings.Builder
	for _, a := range answers {
		text := output(t, "x.txt", a.report, a.opts)
		head, rest, _ := strings.Cut(text, "\nTOTALS\n")
		if a.opts.Color {
			head, rest, _ = strings.Cut(text, "\n\x1b[1mTOTALS\x1b[0m\n")
		}
		b.WriteString("===== " + a.name + "\n" + head)
		if _, next, ok := strings.Cut(rest, "\nNEXT\n"); ok {
			b.WriteString("\nNEXT\n" + next)
		}
		if lines := strings.Split(text, "\n"); !strings.Contains(strings.Join(lines[:min(len(lines), 13)], "\n"), "sure ") {
			t.Errorf("%s: the first lines do not say how sure that is", a.name)
		}
	}
	for _, a := range answers {
		if !a.opts.Color {
			checkWidth(t, a.name, a.report, a.opts)
		}
	}
	checkFile(t, file, b.String())
}

// checkFile compares text with what a file in testdata has.
func checkFile(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("output differs from %s (-want +got); see -update:\n%s", file, diff)
	}
}
