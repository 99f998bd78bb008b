package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// demoReport returns the report that is right for the demo's target.
func demoReport() *report.Report {
	frames := func(function string) []stack.Frame {
		return []stack.Frame{{Function: "main.mmap"}, {Function: "main." + function}, {Function: "main.main"}}
	}
	r := &report.Report{Paths: []report.Path{
		{Bytes: leakPiece * leakCount, Count: leakCount, Frames: frames("cacheThatNeverForgets"),
			Verdict: verdict.Verdict{Kind: verdict.Leak}},
		{Bytes: poolPiece * poolCount, Count: poolCount, Frames: frames("poolThatStopsGrowing")},
		{Bytes: cutLeft * cutCount, Count: cutCount, Frames: frames("bufferUnmappedShort")},
		{Bytes: 1 << 26, Count: 1, Frames: []stack.Frame{{Function: "runtime.sysMap"}}}, // the runtime's own
	}}
	r.Remnants = []report.Remnant{{Left: cutLeft * cutCount, Count: cutCount, MappedAt: frames("bufferUnmappedShort")}}
	r.Failures = []report.Failure{{Call: "munmap", Errno: "EINVAL", Count: slipCount, Frames: frames("munmapPastTheHeader")}}
	return r
}

func TestJudgeDemo(t *testing.T) {
	tests := []struct {
		name   string
		change func(*report.Report)
		want   string
	}{
		{"right", func(*report.Report) {}, "\nfound 3 of 3 planted, 0 false, bytes exact\n"},
		{"leak", func(r *report.Report) { r.Paths[0].Bytes-- }, `
cacheThatNeverForgets: reported are 15728639 bytes in 15 mappings that leak; it left 15728640 bytes in 15 mappings that leak

found 2 of 3 planted, 0 false, bytes wrong
`},
		{"verdict", func(r *report.Report) { r.Paths[0].Verdict.Kind = verdict.Cache }, `
cacheThatNeverForgets: reported are 0 bytes in 0 mappings that leak; it left 15728640 bytes in 15 mappings that leak

found 2 of 3 planted, 0 false, bytes wrong
`},
		{"alarm", func(r *report.Report) { r.Paths[1].Verdict.Kind = verdict.Leak }, `
poolThatStopsGrowing: reported are 4194304 bytes in 8 mappings that leak; it left 0 bytes in 0 mappings that leak

found 3 of 3 planted, 1 false, bytes wrong
`},
		{"failure", func(r *report.Report) { r.Failures[0].Count++ }, `
munmapPastTheHeader: reported are 8 failed calls; it left 7 failed calls

found 2 of 3 planted, 0 false, bytes exact
`},
		{"pool", func(r *report.Report) { r.Paths[1].Count++ }, `
poolThatStopsGrowing: reported are 4194304 bytes in 9 mappings; it left 4194304 bytes in 8 mappings

found 3 of 3 planted, 1 false, bytes exact
`},
		{"worker", func(r *report.Report) {
			r.Paths[3].Frames = []stack.Frame{{Function: "main.workerThatCleansUp"}}
		}, `
workerThatCleansUp: reported are 67108864 bytes in 1 mappings; it left 0 bytes in 0 mappings

found 3 of 3 planted, 1 false, bytes wrong
`},
		{"nothing", func(r *report.Report) { r.Remnants = nil }, `
bufferUnmappedShort: reported are 0 bytes in the rest of 0 mappings; it left 327680 bytes in the rest of 5 mappings

found 2 of 3 planted, 0 false, bytes wrong
`},
	}
	for _, tt := range tests {
		r := demoReport()
		tt.change(r)
		var b strings.Builder
		err := judgeDemo(&b, r)
		if errors.Is(err, errDemo) != (tt.name != "right") {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if got := b.String(); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// The whole of it, against live processes. All runs go side by side, since they
// mostly wait.
func TestDemo(t *testing.T) {
	needTracing(t)
	right := newRun(t, "demo")
	right.start()
	broken := make(map[string]*running)
	for _, part := range demoBreaks {
		broken[part] = newRun(t, "demo", "-q", "-F", "folded", "--break", part)
		broken[part].start()
	}
	r := right.wait()
	if r.code != exitOK || !strings.Contains(r.out, "): 1 path leaks 15.0 MiB (") ||
		!strings.HasSuffix(r.out, "\nfound 3 of 3 planted, 0 false, bytes exact\n") {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.out, r.err)
	}
	for part, run := range broken {
		r := run.wait()
		if want := "mmtrace: " + errDemo.Error() + "\n"; r.code != exitFailure || !strings.HasSuffix(r.err, want) {
			t.Errorf("%s: exit code %d\n%s", part, r.code, r.err)
		}
	}
}
