package export

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// line is the line of a metric that went evenly through 30 s.
func line(first, last uint64) report.Line {
	return report.Line{First: first, Last: last, Min: min(first, last), Max: max(first, last),
		PerSecond: (float64(last) - float64(first)) / 30}
}

// sampled is the trend of a process that grew by what paths mapped and touched.
func sampled() report.ProcessTrend {
	return report.ProcessTrend{
		PID: 4242, Comm: "imgcache", Samples: &report.Series{Times: []event.Time{0, 30 * sec}},
		Lines: report.Lines{
			report.Size: line(412*mib, 436*mib), report.RSS: line(100*mib, 120*mib), report.Swap: line(0, 0),
			report.MinorFaults: line(7000, 43120), report.MajorFaults: line(2, 2),
		},
		Mappings: report.MappingsForecast{Now: 212, Limit: 65530, PerSecond: 0.7, Due: true, In: 93311 * sec},
		Size:     report.Growth{Change: 24 * mib, Paths: 21 * mib, Heap: 2 * mib, Other: mib},
		Resident: report.Growth{Change: 20 * mib, Paths: 18 * mib, Heap: mib, Old: mib},
	}
}

// trended returns a leak with a trend after a change.
func trended(change func(r *report.Report, p *report.ProcessTrend)) *report.Report {
	r := plainLeak()
	r.Trend.Processes = []report.ProcessTrend{sampled()}
	r.Trend.System = report.Lines{report.Available: line(8<<30, 8<<30-mib), report.Committed: line(12<<30, 12<<30), report.CommitLimit: line(8<<30, 8<<30)}
	change(r, &r.Trend.Processes[0])
	return r
}

// quietly is a window of which nothing is left and in which RSS grew by so many MiB,
// of them the second in older mappings.
func quietly(change, old int64) *report.Report {
	return changed(quiet(), func(r *report.Report) {
		p := sampled()
		p.Lines[report.RSS] = line(100*mib, uint64(100+change)*mib)
		p.Resident = report.Growth{Change: change * mib, Old: old * mib, Paths: (change - old) * mib}
		r.Trend.Processes = []report.ProcessTrend{p}
	})
}

// growths are all that the text has to say about sizes and their limits.
var growths = []answer{
	{"what was mapped explains the growth", trended(func(*report.Report, *report.ProcessTrend) {}), Options{}},
	{"nothing is left, and older mappings were touched", quietly(20, 20), Options{}},
	{"nothing is left, and older mappings were touched, of two processes", changed(quietly(20, 19), func(r *report.Report) {
		r.Targets = append(r.Targets, report.Target{PID: 4300, Comm: "imgcache"})
	}), Options{}},
	{"nothing is left, and RSS grew a little less than counts", quietly(1, 1), Options{}},
	{"nothing is left, and RSS grew by what was mapped and touched", quietly(20, 9), Options{}},
	{"one sample says nothing", trended(func(_ *report.Report, p *report.ProcessTrend) { p.Samples.Times = p.Samples.Times[:1] }), Options{}},
	{"older mappings were unmapped, and others touched", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Size = report.Growth{Change: 20 * mib, Paths: 21 * mib, Heap: 2 * mib, Old: -3 * mib}
		p.Resident = report.Growth{Change: 20 * mib, Old: 20 * mib}
	}), Options{}},
	{"RSS shrank, and swap grew with faults from disk", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Lines[report.RSS], p.Lines[report.Swap] = line(120*mib, 100*mib), line(0, 40*mib)
		p.Lines[report.MajorFaults] = line(2, 302)
		p.Resident = report.Growth{Change: -20 * mib, Paths: 18 * mib, Heap: mib, Old: -39 * mib}
		r.Trend.System[report.SwappedOut], r.Trend.System[report.SwappedIn] = line(1000, 11240), line(500, 800)
	}), Options{}},
	{"part was not looked at", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Resident = report.Growth{Change: 20 * mib, Paths: 12 * mib, Old: 8 * mib, Unknown: 2 * mib}
	}), Options{}},
	{"nothing was looked at, and VIRT stood still", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Lines[report.Size], p.Size = line(412*mib, 412*mib), report.Growth{}
		p.Resident = report.Growth{Change: 20 * mib, Old: 20 * mib, Unknown: 21 * mib}
	}), Options{}},
	{"an ended process, of which no part is known", trended(func(r *report.Report, p *report.ProcessTrend) {
		r.Targets[0].Ended, r.Window.StoppedBy = "exited", "exit"
		p.Mappings.Now = 65000
	}), Options{}},
	{"the machine runs out of memory", trended(func(r *report.Report, p *report.ProcessTrend) {
		r.Trend.System[report.Available] = line(3<<30, 2<<30)
	}), Options{}},
	{"the machine has little memory", trended(func(r *report.Report, p *report.ProcessTrend) {
		r.Trend.System[report.Available] = line(200*mib, 201*mib)
		delete(r.Trend.System, report.CommitLimit)
	}), Options{}},
	{"mappings run out", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Mappings = report.MappingsForecast{Now: 59123, Limit: 65530, PerSecond: 12, Due: true, In: 534 * sec}
	}), Options{}},
	{"mappings run out within a day", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Mappings = report.MappingsForecast{Now: 212, Limit: 65530, PerSecond: 3, Due: true, In: 21773 * sec}
	}), Options{}},
	{"mappings would run out, but nothing grows", changed(quiet(), func(r *report.Report) {
		p := sampled()
		p.Mappings = report.MappingsForecast{Now: 212, Limit: 65530, PerSecond: 3, Due: true, In: 21773 * sec}
		p.Size, p.Resident = report.Growth{Change: -4 * kib, Heap: -4 * kib}, report.Growth{}
		p.Lines = report.Lines{report.Size: line(412*mib, 412*mib-4*kib), report.RSS: line(100*mib, 100*mib)}
		r.Trend.Processes = []report.ProcessTrend{p}
	}), Options{}},
	{"most mappings are taken", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Mappings = report.MappingsForecast{Now: 52424, Limit: 65530}
	}), Options{}},
	{"all mappings are taken", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Mappings = report.MappingsForecast{Now: 65531, Limit: 65530, PerSecond: 12, Due: true}
	}), Options{}},
	{"five children, of which one is near the limit and one has ended", changed(with(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{})), func(r *report.Report) {
		g := r.Targets[0]
		for i := range 5 {
			p := sampled()
			g.PID, g.Parent, p.PID = event.PID(5000+i), 4242, event.PID(5000+i)
			p.Lines[report.RSS] = line(100*mib, uint64(101+i)*mib)
			p.Mappings.Now = uint64(20000 * i)
			r.Targets = append(r.Targets, g)
			r.Trend.Processes = append(r.Trend.Processes, p)
		}
		r.Targets[5].Ended = "exited"
	}), Options{}},
}

// TestGrowths compares what reports say about sizes.
func TestGrowths(t *testing.T) { checkAnswers(t, "testdata/growths.txt", growths) }
