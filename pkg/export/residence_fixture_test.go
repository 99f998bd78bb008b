package export

import (
	"errors"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// measured is a report with residence, of which the budget left out some, and
// with a trend.
func measured() *report.Report {
	r := several()
	for i := range r.Paths {
		p := &r.Paths[i]
		for k := range p.Mappings {
			m := &p.Mappings[k]
			m.Resident = report.Residence{Scanned: m.Live, Present: m.Live / uint64(k%4+1), Anon: m.Live / uint64(k%4+1)}
			p.Resident.Add(m.Resident)
		}
		p.Resident.Scanned = p.Bytes - mib
		p.Resident.Swapped, p.Resident.Huge = 5*mib+4*kib, 2*mib
		r.Totals.Resident.Add(p.Resident)
	}
	q := &r.Quality
	q.ResidentUnknown, q.ResidentBeyond, q.ResidentBeyondCount = 2*mib, mib, 3
	q.ResidentBudget, q.ResidentTook = 500*ms, 731*ms
	samples := &report.Series{
		Times:  []event.Time{7 * sec, 8 * sec, 10 * sec},
		Values: map[report.Metric][]uint64{report.RSS: {100 * mib, 90 * mib, 120 * mib}, report.Threads: {1, 2, 3}},
	}
	r.Cost = someCost()
	r.Trend = report.Trend{
		SystemSamples: &report.Series{Times: []event.Time{7 * sec}, Values: map[report.Metric][]uint64{report.Available: {1 << 30}}},
		System:        report.Lines{report.Available: {First: 1 << 30, Last: 1 << 30, Min: 1 << 30, Max: 1 << 30}},
		Processes: []report.ProcessTrend{{
			PID: 4242, Comm: "imgcache", Samples: samples,
			Lines: report.Lines{
				report.RSS:     {First: 100 * mib, Last: 120 * mib, Min: 90 * mib, Max: 120 * mib, PerSecond: 7.5 * mib},
				report.Threads: {First: 1, Last: 3, Min: 1, Max: 3, PerSecond: 0.625},
			},
			Mappings: report.MappingsForecast{Now: 60490, Limit: 65530, PerSecond: 12, Due: true, In: 420 * sec},
			Size:     report.Growth{Change: 20 * mib, Paths: 21 * mib, Heap: mib, Old: -3 * mib, Other: mib},
			Resident: report.Growth{Change: 20 * mib, Paths: 12 * mib, Old: 8 * mib, Unknown: 2 * mib},
			OldRSS:   108 * mib,
		}},
	}
	return r
}

// A report in which nothing is known of residence has no folded form of it: an
// empty one would say that nothing is there.
func TestFoldedOfUnknownResidence(t *testing.T) {
	var b badWriter
	err := Folded(&b, plainLeak(), FoldedOptions{Value: "resident"})
	if !errors.Is(err, ErrUnknown) || err.Error() != "folding by resident: it is not known how much is in memory" {
		t.Errorf("error %v", err)
	}
	if err := Folded(&b, quiet(), FoldedOptions{Value: "resident"}); err != nil {
		t.Errorf("nothing outstanding: %v", err)
	}
}

func TestSortByResident(t *testing.T) {
	r := several()
	r.Paths[1].Resident.Present = 1
	sel, _, err := Select(r, Filter{Sort: "resident"})
	if err != nil || sel.Paths[0].ID != r.Paths[1].ID {
		t.Errorf("%v; first is %s", err, sel.Paths[0].ID)
	}
}
