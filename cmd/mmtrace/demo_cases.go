package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

const (
	leakPiece, leakCount = 1 << 20, 15
	cutPiece, cutLeft    = 256 << 10, 64 << 10
	cutCount             = 5
	slipCount            = 7
	poolPiece, poolCount = 512 << 10, 8
	workPiece, workCount = 128 << 10, 210
	beforePiece          = 32 << 20
)

// A demoPlan is how often the target does each thing in the window.
type demoPlan struct {
	leaks, cuts, slips, pool int
	works, forgotten         int // of works, those that keep what they mapped
}

// newDemoPlan returns the plan that demo checks a report against. With the name
// of a part it returns one that differs there, to show that demo can fail.
func newDemoPlan(broken string) demoPlan {
	p := demoPlan{leaks: leakCount, cuts: cutCount, slips: slipCount, pool: poolCount, works: workCount}
	switch broken {
	case "leak":
		p.leaks--
	case "remnant":
		p.cuts++
	case "failure":
		p.slips--
	case "pool":
		p.pool++
	case "worker":
		p.forgotten++
	}
	return p
}

// demoBreaks are the names that newDemoPlan takes.
var demoBreaks = []string{"leak", "remnant", "failure", "pool", "worker"}

// A tally is what a report says of one function.
type tally struct{ bytes, count uint64 }

// A demoCase is what a report has to say of one function of the target.
type demoCase struct {
	function string
	planted  bool // a fault, to be found; else all beyond want is a false report
	read     func(r *report.Report, function string) tally
	want     tally
	format   string // of a tally
}

const (
	heldFormat   = "%d bytes in %d mappings"
	leftFormat   = "%d bytes in the rest of %d mappings"
	failedFormat = "%[2]d failed calls"
	leaksFormat  = "%d bytes in %d mappings that leak"
)

// demoCases: three faults are planted. Beside them a pool stops growing, a
// worker cleans up, and a mapping is older than the window.
var demoCases = []demoCase{
	{"cacheThatNeverForgets", true, leaking, tally{leakPiece * leakCount, leakCount}, leaksFormat},
	{"bufferUnmappedShort", true, left, tally{cutLeft * cutCount, cutCount}, leftFormat},
	{"munmapPastTheHeader", true, failed, tally{0, slipCount}, failedFormat},
	{"bufferUnmappedShort", false, held, tally{cutLeft * cutCount, cutCount}, heldFormat},
	{"munmapPastTheHeader", false, held, tally{}, heldFormat},
	{"poolThatStopsGrowing", false, leaking, tally{}, leaksFormat},
	{"poolThatStopsGrowing", false, held, tally{poolPiece * poolCount, poolCount}, heldFormat},
	{"workerThatCleansUp", false, held, tally{}, heldFormat},
	{"mappedBeforeTheWindow", false, held, tally{}, heldFormat},
	{"mappedBeforeTheWindow", false, left, tally{}, leftFormat},
}

// judgeDemo compares a report with what the target does, writes what differs
// and then the result, and returns errDemo if anything differs.
func judgeDemo(w io.Writer, r *report.Report) error {
	planted, found, wrong, bytes := 0, 0, 0, "exact"
	for _, c := range demoCases {
		got := c.read(r, c.function)
		if c.planted {
			planted++
		}
		if got == c.want {
			if c.planted {
				found++
			}
			continue
		}
		if !c.planted && (got.bytes > c.want.bytes || got.count > c.want.count) {
			wrong++
		}
		if got.bytes != c.want.bytes {
			bytes = "wrong"
		}
		fmt.Fprintf(w, "\n%s: reported are %s; it left %s\n", c.function,
			fmt.Sprintf(c.format, got.bytes, got.count), fmt.Sprintf(c.format, c.want.bytes, c.want.count))
	}
	_, err := fmt.Fprintf(w, "\nfound %d of %d planted, %d false, bytes %s\n", found, planted, wrong, bytes)
	if found < planted || wrong > 0 || bytes != "exact" {
		return errDemo
	}
	return err
}

// held sums what the paths through a function hold.
func held(r *report.Report, function string) (sum tally) {
	for i := range r.Paths {
		if p := &r.Paths[i]; through(p.Frames, function) {
			sum.bytes += p.Bytes
			sum.count += p.Count
		}
	}
	return sum
}

// leaking sums what the paths through a function hold that are said to leak.
func leaking(r *report.Report, function string) (sum tally) {
	for i := range r.Paths {
		if p := &r.Paths[i]; p.Verdict.Kind == verdict.Leak && through(p.Frames, function) {
			sum.bytes += p.Bytes
			sum.count += p.Count
		}
	}
	return sum
}

// left sums what is left of mappings that a function made and that were
// unmapped in part.
func left(r *report.Report, function string) (sum tally) {
	for i := range r.Remnants {
		if m := &r.Remnants[i]; through(m.MappedAt, function) {
			sum.bytes += m.Left
			sum.count += m.Count
		}
	}
	return sum
}

// failed counts the calls of munmap through a function that failed.
func failed(r *report.Report, function string) (sum tally) {
	for i := range r.Failures {
		if f := &r.Failures[i]; f.Call == "munmap" && f.Errno == "EINVAL" && through(f.Frames, function) {
			sum.count += f.Count
		}
	}
	return sum
}

// through reports whether a function of package main is among frames.
func through(frames []stack.Frame, function string) bool {
	for i := range frames {
		// A test's main package has its import path before its name.
		if strings.HasSuffix(frames[i].Function, "."+function) {
			return true
		}
	}
	return false
}
