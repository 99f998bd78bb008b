package export

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// thrifty is plainLeak under --max-overhead, with everything left out that can be.
func thrifty() *report.Report {
	r := plainLeak()
	r.Overhead = report.Overhead{
		Limit: 0.05, Spent: 1200 * ms, CPU: 30 * sec,
		Steps: []report.Saving{
			{What: report.SavingUnmaps, Time: 1*sec + 3*ms, Share: 0.081},
			{What: report.SavingHot, Time: 2*sec + 4*ms, Share: 0.062},
		},
		Unstacked: 12345, Assumed: 98765, Checked: 6012, Differed: 3, AssumedMappings: 17,
	}
	return r
}

// TestOverheadText checks what the text says of the cost in other cases.
func TestOverheadText(t *testing.T) {
	unmaps := report.Saving{What: report.SavingUnmaps, Time: 2 * sec, Share: 0.0312}
	hot := report.Saving{What: report.SavingHot, Time: 3 * sec, Share: 0.0312}
	for _, c := range []struct {
		name string
		o    report.Overhead
		want string
	}{
		{"no limit", report.Overhead{Spent: 1, CPU: 2}, ""},
		{"cheap", report.Overhead{Limit: 0.001, Spent: 1, CPU: 1e9},
			"  - Tracing took under 0.01 % of the CPU time that the target took itself;\n" +
				"    --max-overhead allows 0.10 %.\n"},
		{"one step", report.Overhead{Limit: 0.03, Spent: 2e6, CPU: 1e9, Steps: []report.Saving{unmaps}, Unstacked: 1},
			"  - Tracing took 0.20 % of the CPU time that the target took itself;\n" +
				"    --max-overhead allows 3.0 %.\n" +
				"  - From 2.0 s on it left out the call stacks of munmap, 1 stack so far, and\n" +
				"    those of calls that open files, since it took 3.1 %.\n"},
		{"too late", report.Overhead{Limit: 0.03, Spent: 40e6, CPU: 1e9},
			"  - Tracing took 4.0 % of the CPU time that the target took itself;\n" +
				"    --max-overhead allows 3.0 %. That was seen too late, or only at the end.\n"},
		{"not enough", report.Overhead{Limit: 0.03, Spent: 40e6, CPU: 1e9, Steps: []report.Saving{hot}, Assumed: 1},
			"  - Tracing took 4.0 % of the CPU time that the target took itself;\n" +
				"    --max-overhead allows 3.0 %. All was left out that can be.\n" +
				"  - From 3.0 s on it did not walk the stacks of hot paths, since it took 3.1 %:\n" +
				"    1 stack was assumed to be that of the call before at the same place. None\n" +
				"    was walked to check.\n"},
		{"all as assumed", report.Overhead{Limit: 0.05, Spent: 40e6, CPU: 1e9, Steps: []report.Saving{hot}, Assumed: 1500, Checked: 100},
			"  - Tracing took 4.0 % of the CPU time that the target took itself;\n" +
				"    --max-overhead allows 5.0 %.\n" +
				"  - From 3.0 s on it did not walk the stacks of hot paths, since it took 3.1 %:\n" +
				"    1,500 stacks were assumed to be that of the call before at the same place.\n" +
				"    Of 100 more that were walked to check, all were as assumed.\n"},
	} {
		r := plainLeak()
		r.Overhead = c.o
		if d := cmp.Diff(c.want, overheadText(t, r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// overheadText returns the lines on the cost alone.
func overheadText(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	o := &TextOptions{Width: 80}
	x := &text{page: newPage(&b, o), r: r, o: o}
	x.overhead()
	if err := x.close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
