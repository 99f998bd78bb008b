package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// judged is a report with a number for everything that a condition names.
func judged() *report.Report {
	r := &report.Report{
		Window: report.Window{Duration: 10e9},
		Totals: report.Totals{OutstandingBytes: 100 << 20, OutstandingCount: 7, Failed: 3,
			Resident: report.Residence{Scanned: 90 << 20, Present: 40 << 20, Swapped: 1 << 20}},
		Quality: report.Quality{Lost: 1, Missed: 2, MapFull: 4, ResidentUnknown: 10 << 20},
		Targets: []report.Target{{PID: 1, Mappings: 60000}, {PID: 2, Mappings: 40}},
	}
	r.Paths = []report.Path{
		{Bytes: 64 << 20, Verdict: verdict.Verdict{Kind: verdict.Leak}},
		{Bytes: 16 << 20, Verdict: verdict.Verdict{Kind: verdict.Leak}},
		{Bytes: 15 << 20, Verdict: verdict.Verdict{Kind: verdict.Growing}},
		{Bytes: 5 << 20, Verdict: verdict.Verdict{Kind: verdict.Once}},
	}
	r.Trend.Processes = []report.ProcessTrend{{PID: 1, Mappings: report.MappingsForecast{Now: 50}}}
	return r
}

func TestConditions(t *testing.T) {
	r := judged()
	for text, want := range map[string]string{
		"leaked>10M":           "true leaked is 80.0 MiB",
		"leaked>80M":           "false leaked is 80.0 MiB",
		"leaked >= 80MiB":      "true leaked is 80.0 MiB",
		"leaked<0.5G":          "true leaked is 80.0 MiB",
		"leaked=83886080":      "true leaked is 80.0 MiB",
		"leaked==83886081b":    "false leaked is 80.0 MiB",
		"growing>1k":           "true growing is 15.0 MiB",
		"outstanding<=102400K": "true outstanding is 100.0 MiB",
		"rate>1M":              "true rate is 10.0 MiB/s",
		"rate>10M/s":           "false rate is 10.0 MiB/s",
		"count>6":              "true count is 7",
		"mappings>49":          "true mappings is 50",
		"mappings>50000":       "false mappings is 50",
		"failed<3":             "false failed is 3",
		"lost>0":               "true lost is 7",
		"resident>30M":         "true resident is 40.0 MiB",
		"resident>50M":         "false resident is 40.0 MiB",
		"resident>45M":         "unknown resident is 40.0 MiB",
		"resident<45M":         "unknown resident is 40.0 MiB",
		"resident=40M":         "unknown resident is 40.0 MiB",
		"swapped>16M":          "false swapped is 1.0 MiB",
	} {
		c, err := report.ParseCondition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		f := c.Find(r)
		got := map[bool]string{true: "true ", false: "false "}[f.Holds] + f.Text
		if !f.Known {
			got = "unknown " + f.Text
		}
		if got != want || c.String() != text {
			t.Errorf("%s: %q, want %q", c, got, want)
		}
	}
}

func TestBadConditions(t *testing.T) {
	const (
		shape = "a name, > or <, and a number, as in leaked>10M"
		names = "leaked, growing, outstanding, resident, swapped, rate, count, mappings, failed or lost"
		size  = "a size for leaked, as in 10M"
	)
	for text, want := range map[string]string{
		"":                 shape,
		"leaked":           shape,
		"leaks>1":          names,
		">1":               names,
		"leaked>":          size,
		"leaked>10X":       size,
		"leaked>10iB":      size,
		"leaked>-1":        size,
		"leaked>>1":        size,
		"leaked>1M/s":      size,
		"leaked>1e3":       size,
		"leaked>Inf":       size,
		"leaked>.":         size,
		"leaked>1 or 2":    size,
		"leaked>1M,lost>0": size,
		"rate>fast":        "a size per second for rate, as in 1M",
		"mappings>50K":     "a whole number for mappings, as in 50000",
		"lost>0.5":         "a whole number for lost, as in 50000",
	} {
		_, err := report.ParseCondition(text)
		var bad *report.ConditionError
		if !errors.As(err, &bad) || bad.Want != want || bad.Error() != fmt.Sprintf("reading %q: want %s", text, want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
	var bad *report.ConditionError
	if _, err := report.ParseCondition("leaks>1"); !errors.As(err, &bad) || bad.Name != "leaks" {
		t.Errorf("the name is %q", bad.Name)
	}
}

// Every name is in the help.
func TestQuantities(t *testing.T) {
	for _, q := range report.Quantities() {
		if c, err := report.ParseCondition(q[0] + ">1"); err != nil || q[1] == "" {
			t.Errorf("%s: %v, %v", q, c, err)
		}
	}
	if c, _ := report.ParseCondition("resident>1"); !c.NeedsResidence() {
		t.Error("resident needs no residence")
	}
}

// FuzzCondition reads any text and finds what it says.
func FuzzCondition(f *testing.F) {
	f.Add("leaked>10M")
	f.Add("rate <= 1.5k/s")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := report.ParseCondition(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "reading ") {
				t.Error(err)
			}
			return
		}
		c.Find(judged())
	})
}
