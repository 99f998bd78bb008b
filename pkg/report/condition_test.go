package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// judged is a report with a number for everything that a condition names.
func judged() *report.Report {
	r := &report.Report{
		Window: report.Window{Duration: 10e9},
		Totals: report.Totals{OutstandingBytes: 100 << 20, OutstandingCount: 7, Failed: 3,
			Resident: report.Residence{Scanned: 90 << 20, Present: 40 << 20, Swapped: 1 << 20},
			Commit:   report.Commitment{Reserved: 30 << 20, Committed: 10 << 20}},
		Left:    []report.Left{{Kind: shm.SysV, Bytes: 2 << 20}, {Kind: shm.Posix, Bytes: 1 << 20}},
		Quality: report.Quality{Lost: 1, Missed: 2, MapFull: 4, ResidentUnknown: 10 << 20},
		Targets: []report.Target{{PID: 1, Mappings: 60000}, {PID: 2, Mappings: 40}},
	}
	r.Paths = []report.Path{
		{Bytes: 64 << 20, Verdict: verdict.Verdict{Kind: verdict.Leak, Of: verdict.AddressSpace}, Resident: report.Residence{Scanned: 64 << 20, Present: 1 << 20}},
		{Bytes: 16 << 20, Verdict: verdict.Verdict{Kind: verdict.Leak}, Resident: report.Residence{Scanned: 14 << 20, Present: 12 << 20}},
		{Bytes: 15 << 20, Verdict: verdict.Verdict{Kind: verdict.Growing}},
		{Bytes: 30 << 20, Commit: report.Commitment{Closed: 20 << 20}, Verdict: verdict.Verdict{Kind: verdict.Growing, Of: verdict.Committed}},
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
		"growing>1k":           "true growing is 25.0 MiB",
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
		"resident>45M":         "unknown resident is 40.0 MiB, and of more it is not known whether it is in memory",
		"resident<45M":         "unknown resident is 40.0 MiB, and of more it is not known whether it is in memory",
		"resident=40M":         "unknown resident is 40.0 MiB, and of more it is not known whether it is in memory",
		"swapped>16M":          "false swapped is 1.0 MiB",
		"leaked-resident>12M":  "true leaked-resident is 13.0 MiB",
		"leaked-resident>13M":  "unknown leaked-resident is 13.0 MiB, and of more it is not known whether it is in memory",
		"leaked-resident>15M":  "false leaked-resident is 13.0 MiB",
		"reserved>29M":         "true reserved is 30.0 MiB",
		"committed>10M":        "false committed is 10.0 MiB",
		"left-behind>2M":       "true left-behind is 3.0 MiB",
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
		names = "leaked, leaked-resident, growing, outstanding, resident, swapped, reserved, committed, left-behind, rate, count, mappings, failed or lost"
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
	for text, want := range map[string]bool{"resident>1": true, "swapped>1": true, "leaked-resident>1": true, "leaked>1": false, "left-behind>1": false} {
		if c, _ := report.ParseCondition(text); c.NeedsResidence() != want {
			t.Errorf("%s needs residence: %v", text, !want)
		}
	}
}

// What nobody looked for may be any number.
func TestLeftBehindIsUnknown(t *testing.T) {
	r := judged()
	r.Quality.LeftUnknown = true
	const missing = ", and of other shared memory it is not known whether anybody uses it"
	for text, want := range map[string]report.Finding{
		"left-behind>0":  {Holds: true, Known: true, Value: 3 << 20, Text: "left-behind is 3.0 MiB"},
		"left-behind>3M": {Value: 3 << 20, Text: "left-behind is 3.0 MiB" + missing},
		"left-behind<3M": {Known: true, Value: 3 << 20, Text: "left-behind is 3.0 MiB"},
		"left-behind<4M": {Holds: true, Value: 3 << 20, Text: "left-behind is 3.0 MiB" + missing},
	} {
		if c, err := report.ParseCondition(text); err != nil || c.Find(r) != want {
			t.Errorf("%s: %+v, want %+v (%v)", text, c.Find(r), want, err)
		}
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

// Shared memory that was looked at only in part is not known.
func TestLeftUnknown(t *testing.T) {
	for name, tt := range map[string]struct {
		files report.FilesFacts
		want  bool
	}{
		"nobody looked":            {report.FilesFacts{}, true},
		"all was looked at":        {report.FilesFacts{Took: 1}, false},
		"there was no time":        {report.FilesFacts{Took: 1, LeftUnknown: 1}, true},
		"a process is out of view": {report.FilesFacts{Took: 1, LeftUnseen: []event.PID{7}}, true},
	} {
		if r := report.Build(traced(t, "snapshot\n"), nil, report.Facts{Files: tt.files}); r.Quality.LeftUnknown != tt.want {
			t.Errorf("%s: unknown %v", name, !tt.want)
		}
	}
}
