package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const sec = event.Time(1e9)

// A long window has samples further apart, never more than there is room for; the
// first and the newest are always there.
func TestSamplerIsBounded(t *testing.T) {
	var s report.Sampler
	for i := range event.Time(5000) {
		s.Add(i*sec, map[report.Metric]uint64{report.RSS: uint64(i)})
		x := s.Series()
		n := len(x.Times)
		if n > report.MaxSamples || n < min(int(i)+1, report.MaxSamples/2) || len(x.Values[report.RSS]) != n {
			t.Fatalf("after %d: %d samples", i+1, n)
		}
		if x.Times[0] != 0 || x.Times[n-1] != i*sec {
			t.Fatalf("after %d: from %d to %d", i+1, x.Times[0], x.Times[n-1])
		}
		for k, at := range x.Times {
			if x.Values[report.RSS][k] != uint64(at/sec) {
				t.Fatalf("after %d: value %d at %d", i+1, x.Values[report.RSS][k], at)
			}
			if k > 1 && k < n-1 && at-x.Times[k-1] != x.Times[1] {
				t.Fatalf("after %d: uneven at %d", i+1, k)
			}
		}
	}
}

// A metric that comes or goes is 0 where it is not there.
func TestSamplerFillsGaps(t *testing.T) {
	var s report.Sampler
	s.Add(1, map[report.Metric]uint64{report.RSS: 1})
	s.Add(2, map[report.Metric]uint64{report.Swap: 2})
	kept := s.Series()
	s.Add(3, map[report.Metric]uint64{report.RSS: 3, report.Swap: 4})
	want := report.Series{Times: []event.Time{1, 2}, Values: map[report.Metric][]uint64{report.RSS: {1, 0}, report.Swap: {0, 2}}}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// growing is a process that maps 16 pages by one path and 2 with brk, gives 3 old
// ones back, and whose stack grows by 1.
const growing = `
process pid=7 comm=x t=1s
snapshot t=1s
 1000-b000 rw-p
 300000-301000 rw-p
 7000000-7001000 rw-p
mmap 0x100000+0x10000 stack=1 t=2s
munmap 0x1000+0x3000 stack=2 t=3s
brk 0x301000 -> 0x303000 stack=3 t=4s
snapshot t=11s
 4000-b000 rw-p
 100000-110000 rw-p
 300000-303000 rw-p
 6fff000-7001000 rw-p
`

// series is RSS and our own count of parts through ten seconds.
func series(pid event.PID, first, last uint64) report.ProcessSeries {
	return report.ProcessSeries{PID: pid, Series: report.Series{
		Times: []event.Time{1 * sec, 6 * sec, 11 * sec},
		Values: map[report.Metric][]uint64{
			report.RSS: {first, last + 4, last}, report.Parts: {3, 4, 5}, report.Threads: {1, 1},
		},
	}}
}

func TestTrend(t *testing.T) {
	tr := traced(t, growing)
	facts := report.Facts{Host: report.Host{PageSize: pg, MaxMapCount: 1004}, Begin: sec, End: 11 * sec}
	facts.Trend.Processes = []report.ProcessSeries{series(9, 1, 1), series(7, 100*pg, 120*pg)}
	facts.Trend.System = report.Series{Times: []event.Time{sec, 11 * sec}, Values: map[report.Metric][]uint64{report.Available: {50, 30}}}
	space := report.Pieces(tr)[0].Space
	facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(space, []report.Resident{
		part(0x100000, 0x10c000, residence(0, 11, 11, 0, 0)), part(0x301000, 0x303000, residence(0, 1, 1, 0, 0)),
	}, pg)}
	r := report.Build(tr, nil, facts)
	if len(r.Trend.Processes) != 1 {
		t.Fatalf("%d processes", len(r.Trend.Processes))
	}
	want := report.ProcessTrend{
		PID: 7, Comm: "x", Samples: &facts.Trend.Processes[1].Series,
		Lines: report.Lines{
			report.RSS:   {First: 100 * pg, Last: 120 * pg, Min: 100 * pg, Max: 120*pg + 4, PerSecond: 2 * pg},
			report.Parts: {First: 3, Last: 5, Min: 3, Max: 5, PerSecond: 0.2},
		},
		Mappings: report.MappingsForecast{Now: 4, Limit: 1004, PerSecond: 0.1, Due: true, In: 10000 * sec},
		Size:     report.Growth{Change: 16 * pg, Paths: 16 * pg, Heap: 2 * pg, Old: -3 * pg, Other: pg},
		Resident: report.Growth{Change: 20 * pg, Paths: 11 * pg, Heap: pg, Old: 8 * pg, Unknown: 4 * pg},
		OldRSS:   108 * pg,
	}
	if diff := cmp.Diff(want, r.Trend.Processes[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := r.Trend.Processes[0].Size.Explained(); got != 112.5 {
		t.Errorf("%v %% of the size explained", got)
	}
	if got := r.Trend.Processes[0].Resident.Explained(); got != 60 {
		t.Errorf("%v %% of RSS explained", got)
	}
	if diff := cmp.Diff(report.Lines{report.Available: {First: 50, Last: 30, Min: 30, Max: 50, PerSecond: -2}}, r.Trend.System); diff != "" {
		t.Errorf("system (-want +got):\n%s", diff)
	}
}

// What does not grow is due never, and explained by nothing.
func TestTrendWithoutGrowth(t *testing.T) {
	tr := traced(t, "process pid=7 comm=x\nsnapshot t=1s\n 1000-b000 rw-p\nsnapshot t=11s\n 1000-b000 rw-p\n")
	facts := report.Facts{Host: report.Host{PageSize: pg, MaxMapCount: 65530}, Begin: sec, End: 11 * sec}
	facts.Trend.Processes = []report.ProcessSeries{series(7, 100*pg, 90*pg)}
	got := report.Build(tr, nil, facts).Trend.Processes[0]
	if diff := cmp.Diff(report.MappingsForecast{Now: 1, Limit: 65530}, got.Mappings); diff != "" {
		t.Errorf("forecast (-want +got):\n%s", diff)
	}
	if got.Size != (report.Growth{}) || got.Resident != (report.Growth{Change: -10 * pg, Old: -10 * pg}) || got.Resident.Explained() != 0 {
		t.Errorf("%+v, %+v", got.Size, got.Resident)
	}
}
