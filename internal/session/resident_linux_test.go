package session

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// smapsOf returns the lines of /proc/PID/smaps by range.
func smapsOf(t *testing.T, pid int) map[interval.Range]map[string]uint64 {
	t.Helper()
	f, err := os.Open(procPath(pid, "smaps"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := make(map[interval.Range]map[string]uint64)
	var at interval.Range
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var r interval.Range
		if n, _ := fmt.Sscanf(sc.Text(), "%x-%x ", &r.Start, &r.End); n == 2 {
			at, out[r] = r, make(map[string]uint64)
			continue
		}
		var kb uint64
		key, value, _ := strings.Cut(sc.Text(), ":")
		if n, _ := fmt.Sscanf(value, "%d kB", &kb); n == 1 {
			out[at][key] = kb << 10
		}
	}
	return out
}

// truthOf sums up the lines of smaps that lie in a path's mappings.
func truthOf(smaps map[interval.Range]map[string]uint64, p *report.Path) report.Residence {
	var sum report.Residence
	for _, m := range p.Mappings {
		for r, line := range smaps {
			if (interval.Range{Start: m.Start, End: m.End}).Covers(r) {
				sum.Add(report.Residence{
					Scanned: r.Len(), Present: line["Rss"] + line["Private_Hugetlb"] + line["Shared_Hugetlb"],
					Anon: line["Anonymous"] + line["Private_Hugetlb"], Swapped: line["Swap"],
					Huge: line["AnonHugePages"] + line["ShmemPmdMapped"] + line["FilePmdMapped"] + line["Private_Hugetlb"],
				})
			}
		}
	}
	return sum
}

// compareResidence compares what every call path has in memory and in swap with
// smaps, from which known takes what the kernel tells nowhere else, and returns the
// sum of all paths.
func compareResidence(t *testing.T, r *report.Report, pid int, known func(p *report.Path, want *report.Residence)) (sum report.Residence) {
	t.Helper()
	smaps := smapsOf(t, pid)
	for i := range r.Paths {
		p := &r.Paths[i]
		want := truthOf(smaps, p)
		if r.Totals.Resident.Huge == 0 { // the kernel does not tell
			want.Huge = 0
		}
		known(p, &want)
		if diff := cmp.Diff(want, p.Resident); diff != "" && p.Call == "mmap" {
			t.Errorf("%s, %d bytes (-smaps +got):\n%s", p.Frames[0].Function+" "+p.Frames[1].Function, p.Bytes, diff)
		}
		sum.Add(p.Resident)
	}
	return sum
}

// TestResidenceIsWhatSmapsSays compares the residence of every call path with
// smaps, to the page; the mappings of the fixture share no lines of it.
func TestResidenceIsWhatSmapsSays(t *testing.T) {
	fx := testutil.Start(t, testutil.Compile(t, "resident.c", "-O2"), t.TempDir())
	s := start(t, fx.PID(), Config{})
	runUntil(t, s, func() { fx.Run() })
	r := finalReport(s)
	sum := compareResidence(t, r, fx.PID(), func(*report.Path, *report.Residence) {})
	if sum != r.Totals.Resident || sum.Present < 8<<20 || len(r.Paths) < 14 {
		t.Errorf("%d paths with %+v, in total %+v", len(r.Paths), sum, r.Totals.Resident)
	}
	if q := r.Quality; q.ResidentUnknown > 0 || q.ResidentBudget != event.Time(residentBudget) || q.ResidentTook <= 0 {
		t.Errorf("quality %+v", q)
	}
	checkTrend(t, r)
	fx.Close()
}

// checkTrend checks that the growth of the process is explained by its paths.
func checkTrend(t *testing.T, r *report.Report) {
	t.Helper()
	if len(r.Trend.Processes) != 1 {
		t.Fatalf("trend %+v", r.Trend)
	}
	p := r.Trend.Processes[0]
	t.Logf("size %+v, resident %+v, mappings %+v", p.Size, p.Resident, p.Mappings)
	line := p.Lines[report.Size]
	if got := int64(line.Last) - int64(line.First); got != p.Size.Change || p.Size.Paths+p.Size.Heap != int64(r.Totals.OutstandingBytes) {
		t.Errorf("VmSize grew by %d; %+v", got, p.Size)
	}
	if p.Resident.Old < -1<<20 || p.Resident.Old > 1<<20 || p.Resident.Paths < 8<<20 {
		t.Errorf("resident %+v", p.Resident)
	}
	if p.Lines[report.MinorFaults].PerSecond <= 0 || p.Lines[report.Threads].Last != 1 || p.Lines[report.PageTables].Last == 0 {
		t.Errorf("lines %+v", p.Lines)
	}
	if p.Mappings.Now < 200 || p.Mappings.PerSecond <= 0 || !p.Mappings.Due {
		t.Errorf("mappings %+v", p.Mappings)
	}
	if r.Trend.System[report.Available].Last == 0 {
		t.Errorf("system %+v", r.Trend.System)
	}
}

// What the budget does not reach is counted, and what nobody wants to know is not
// looked up.
func TestResidenceIsBounded(t *testing.T) {
	for name, cfg := range map[string]Config{"budget": {ResidentBudget: 1}, "off": {NoResident: true}} {
		t.Run(name, func(t *testing.T) {
			fx := testutil.Start(t, testutil.Compile(t, "resident.c", "-O2"), t.TempDir())
			s := start(t, fx.PID(), cfg)
			runUntil(t, s, func() { fx.Run() })
			r := finalReport(s)
			q, out := r.Quality, r.Totals.OutstandingBytes
			if r.Totals.Resident.Scanned != 0 || q.ResidentUnknown != out {
				t.Errorf("of %d: %+v, quality %+v", out, r.Totals.Resident, q)
			}
			if want := map[bool]uint64{true: out}[name == "budget"]; q.ResidentBeyond != want {
				t.Errorf("beyond the budget: %d of %d", q.ResidentBeyond, want)
			}
			fx.Close()
		})
	}
}
