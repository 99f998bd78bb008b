package export

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// someCost is that of an ordinary window, in which everything could be measured.
func someCost() report.Cost {
	return report.Cost{
		CostFacts: report.CostFacts{
			CallLonger: 75.4, MappingLonger: 300, Idle: 57, IdleLock: 75, IdleMapping: 170,
			Sampled: 760 * ms, Events: 1031,
			Programs: []report.ProgramCost{
				{Name: "call_returned", Role: "return", Runs: 20_122, Time: 1_790_344},
				{Name: "lock_acquired", Role: "lock", Runs: 2031, Time: 180_200},
			},
			TargetCPU: 12 * sec, CPU: 410 * ms, OtherCPU: 1120 * ms, Memory: 160 * mib, Maps: 86*mib + 700*kib,
		},
		Known: true, PerEvent: 843.2, Lost: event.Time(3412 * 843), CallsPerSecond: 26_476,
	}
}

// costs are all that a text says about the cost of tracing.
var costs = []struct {
	name   string
	change func(r *report.Report, c *report.Cost)
}{
	{"all is known", func(*report.Report, *report.Cost) {}},
	{"a busy target", func(_ *report.Report, c *report.Cost) {
		c.PerEvent, c.Lost, c.TargetCPU = 1520.7, 9*sec, 29*sec
		c.CPU, c.OtherCPU = 12*sec, 70*sec
	}},
	{"several targets", func(r *report.Report, _ *report.Cost) { r.Targets = append(r.Targets, r.Targets[0]) }},
	{"few events among many calls", func(_ *report.Report, c *report.Cost) {
		c.AtMost, c.PerEvent, c.Lost, c.TargetCPU = true, 61_404, event.Time(2*61_404), 0
	}},
	{"no event at all", func(r *report.Report, c *report.Cost) {
		r.Quality.Events, c.Lost, c.PerEvent, c.NoEvent = 0, 0, 0, "none"
	}},
	{"no event while it was measured", func(_ *report.Report, c *report.Cost) { c.Lost, c.PerEvent, c.NoEvent = 0, 0, "none" }},
	{"without the right to measure", func(_ *report.Report, c *report.Cost) { c.Lost, c.PerEvent, c.NoEvent = 0, 0, "right" }},
	{"several, without the right", func(r *report.Report, c *report.Cost) {
		c.Lost, c.PerEvent, c.NoEvent = 0, 0, "right"
		r.Targets = append(r.Targets, r.Targets[0])
	}},
	{"an error while measuring", func(_ *report.Report, c *report.Cost) {
		c.Lost, c.PerEvent, c.NoEvent, c.CallLonger = 0, 0, "error", 0
		c.Memory, c.Maps, c.OtherCPU = 0, 0, 0
	}},
	{"an old recording", func(_ *report.Report, c *report.Cost) { *c = report.Cost{} }},
}

func TestCostText(t *testing.T) {
	var b strings.Builder
	for _, tt := range costs {
		r := plainLeak()
		r.Cost = someCost()
		tt.change(r, &r.Cost)
		text := output(t, "x.txt", r, Options{})
		_, rest, _ := strings.Cut(text, "\nABOUT\n")
		about, _, _ := strings.Cut(rest, "\nNEXT\n")
		_, cost, _ := strings.Cut(about, "\n  cost ")
		b.WriteString("===== " + tt.name + "\n" + strings.TrimSpace(cost) + "\n")
		checkWidth(t, tt.name, r, Options{})
	}
	const file = "testdata/costs.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("output differs from %s (-want +got); see -update:\n%s", file, diff)
	}
}

func TestBriefTime(t *testing.T) {
	for ns, want := range map[float64]string{
		0: "0 ns", 75.4: "75 ns", 999: "999 ns", 999.9: "1.0 us", 1520: "1.5 us", 9994: "10 us", 99_600: "100 us",
		2.1e6: "2.1 ms", 4.1e8: "410 ms", 1.12e9: "1.1 s", 59e9: "59 s", 70e9: "1 min 10 s",
	} {
		if got := strings.ReplaceAll(brief(ns), nbsp, " "); got != want {
			t.Errorf("%v ns: %q, want %q", ns, got, want)
		}
	}
	for p, want := range map[float64]string{0: "0 %", 1e-6: "under 0.01 %", 0.0005: "0.05 %", 0.0099: "0.99 %", 0.00999: "1.0 %",
		0.013: "1.3 %", 0.0999: "10 %", 0.75: "75 %", 2.4: "240 %"} {
		if got := strings.ReplaceAll(percent(p), nbsp, " "); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}
