package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// named are stacks 1 to 4, each of one function.
var named = stack.Table{1: {{Function: "a", Offset: 1}}, 2: {{Function: "b", Offset: 2}}, 3: {{Function: "c", Offset: 3}}, 4: {{Function: "d", Offset: 4}}}

// reserving is a reservation that a opened in part by mprotect and b by
// MAP_FIXED, memory of c that madvise gave back, and what d made with access and
// MAP_NORESERVE.
const reserving = `
snapshot
 1000-9000 ---p
mmap 0x10000+0x10000 stack=1 prot=none flags=noreserve
mprotect 0x10000+0x3000 prot=rw
mprotect 0x12000+0x1000 prot=none
mmap 0x18000+0x2000 stack=2 flags=fixed
mmap 0x30000+0x4000 stack=3
madvise 0x30000+0x3000 advice=dontneed
madvise 0x30000+0x1000 advice=free
mmap 0x40000+0x8000 stack=4 flags=noreserve
mmap 0x50000+0x1000 stack=3 flags=shared
mprotect 0x1000+0x4000 prot=rw
mprotect 0x4000+0x1000 prot=none
madvise 0x1000+0x2000 advice=dontneed
`

func TestCommitments(t *testing.T) {
	tr := traced(t, reserving)
	facts := report.Facts{Host: report.Host{PageSize: pg}, Resident: report.ResidenceFacts{Budget: 1}}
	facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(report.Pieces(tr)[0].Space, []report.Resident{
		part(0x10000, 0x12000, residence(0, 1, 1, 0, 0)),
		part(0x12000, 0x18000, residence(0, 1, 1, 1, 0)), // was touched before it was closed
		part(0x18000, 0x1a000, residence(0, 2, 2, 0, 0)),
		part(0x30000, 0x34000, residence(0, 1, 1, 1, 0)),
		part(0x40000, 0x44000, residence(0, 1, 1, 0, 0)), // the time did not suffice
		part(0x50000, 0x51000, residence(0, 0, 0, 0, 0)),
	}, pg)}
	r := report.Build(tr, named, facts)
	got := make(map[string]report.Commitment)
	for _, p := range r.Paths {
		got[p.Frames[0].Function] = p.Commit
	}
	want := map[string]report.Commitment{
		"a": {Reserved: 16 * pg, Committed: 4 * pg, Overlaid: 2 * pg, Present: 4 * pg, Closed: 12 * pg, ClosedHeld: 2 * pg, NoReserve: 2 * pg, Untouched: pg},
		"b": {},
		"c": {Untouched: 2 * pg, Returned: 4 * pg, ReturnedLazy: pg, ReturnedCalls: 2, LazyUnknown: pg},
		"d": {Reserved: 8 * pg, Committed: 8 * pg, Present: pg, NoReserve: 8 * pg, Untouched: 3 * pg},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	sum := report.Commitment{}
	for _, c := range want {
		sum.Add(c)
	}
	if diff := cmp.Diff(sum, r.Totals.Commit); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if r.Totals.OldOpened != 3*pg || r.Totals.OldReturned != 2*pg {
		t.Errorf("older mappings: %d opened, %d given back", r.Totals.OldOpened, r.Totals.OldReturned)
	}
}

// A commit counts on its own path once nothing is left of the reservation's.
func TestReservationThatIsFilled(t *testing.T) {
	r := report.Build(traced(t, `
mmap 0x10000+0x2000 stack=1 prot=none flags=noreserve
mmap 0x10000+0x2000 stack=2 flags=fixed,noreserve
`), named, report.Facts{})
	want := report.Commitment{Reserved: 2 * pg, Committed: 2 * pg, NoReserve: 2 * pg}
	if len(r.Paths) != 1 || r.Paths[0].Commit != want || r.Totals.Commit != want {
		t.Errorf("paths %+v", r.Paths)
	}
}

// A recording of before parts were told apart has ranges that hold several.
func TestResidenceOfOlderRecordings(t *testing.T) {
	tr := traced(t, reserving)
	facts := report.Facts{Host: report.Host{PageSize: pg}}
	facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(report.Pieces(tr)[0].Space, []report.Resident{
		part(0x10000, 0x18000, residence(0, 3, 3, 0, 0)),
		part(0x1a000, 0x30000, residence(0, 3, 3, 0, 0)), // no more of one mapping
	}, pg)}
	r := report.Build(tr, named, facts)
	if got := r.Totals.Resident; got != residence(8, 3, 3, 0, 0) {
		t.Errorf("residence %+v", got)
	}
}

// every writes first and then n lines that are 100 ms apart.
func every(n int, first, format string, args func(i int) []any) string {
	var s strings.Builder
	s.WriteString("snapshot\n" + first)
	for i := range n {
		fmt.Fprintf(&s, format, append(args(i), i*100)...)
	}
	return s.String()
}

// What has no access is address space; what was given back is no leak; and what
// is opened bit by bit grows.
func TestVerdictsOnAddressSpace(t *testing.T) {
	at := func(i int) []any { return []any{0x40000000 + i*0x20000} }
	var atOnce strings.Builder
	for i := range 200 {
		fmt.Fprintf(&atOnce, "mmap %#x+0x10000 stack=1 t=0\n", at(i)...)
	}
	twice := func(i int) []any { return []any{0x40000000 + i*0x20000, 0x40000000 + i*0x20000} }
	for name, tt := range map[string]struct {
		text string
		kind verdict.Kind
		of   verdict.Substance
	}{
		"memory":                 {every(200, "", "mmap %#x+0x10000 stack=1 t=%dms\n", at), verdict.Leak, verdict.Memory},
		"reserved":               {every(200, "", "mmap %#x+0x10000 prot=none stack=1 t=%dms\n", at), verdict.Leak, verdict.AddressSpace},
		"closed again":           {every(200, atOnce.String(), "mprotect %#x+0x10000 prot=none t=%dms\n", at), verdict.Once, verdict.Memory},
		"uncommitted":            {every(200, "", "mmap %#[1]x+0x10000 stack=1 t=%[3]dms\nmprotect %#[2]x+0x10000 prot=none t=%[3]dms\n", twice), verdict.Leak, verdict.AddressSpace},
		"opened bit by bit":      {every(200, "mmap 0x40000000+0x10000000 prot=none stack=1\n", "mprotect %#x+0x20000 prot=rw t=%dms\n", at), verdict.Growing, verdict.Committed},
		"opened and closed":      {every(200, "mmap 0x40000000+0x10000000 prot=none stack=1\n", "mprotect %#x+0x20000 prot=rw t=%dms\n", func(i int) []any { return at(i % 10) }), verdict.Once, verdict.Memory},
		"given back, mapped":     {every(200, "", "mmap %#[1]x+0x10000 stack=1 t=%[3]dms\nmadvise %#[2]x+0x10000 advice=dontneed t=%[3]dms\n", twice), verdict.Leak, verdict.AddressSpace},
		"given back, used again": {every(200, "", "mmap %#[1]x+0x10000 stack=1 t=%[3]dms\nmadvise %#[2]x+0x10000 advice=dontneed t=%[3]dms\nmadvise %#[2]x+0x10000 advice=dontneed t=%[3]dms\n", twice), verdict.Growing, verdict.AddressSpace},
		"kept until it is taken": {every(200, "", "mmap %#[1]x+0x10000 stack=1 t=%[3]dms\nmadvise %#[2]x+0x10000 advice=free t=%[3]dms\n", twice), verdict.Leak, verdict.AddressSpace},
	} {
		tr := traced(t, tt.text)
		facts := report.Facts{End: 20e9, Host: report.Host{PageSize: pg}}
		var looked []report.Resident
		for _, p := range report.Pieces(tr) {
			looked = append(looked, report.Resident{Range: p.Range, Residence: report.Residence{Scanned: p.Len()}})
		}
		facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(report.Pieces(tr)[0].Space, looked, pg)}
		r := report.Build(tr, named, facts)
		p := r.Paths[0]
		if v := p.Verdict; v.Kind != tt.kind || v.Of != tt.of {
			t.Errorf("%s: %s of %q: %s", name, v.Kind, v.Of, v.Why)
		}
		if want := p.Bytes - p.Commit.Closed; tt.of == verdict.Committed && (p.Growth() != want || p.Rate != float64(want)/20 || p.Open == nil) {
			t.Errorf("%s: %d at %f/s, want %d", name, p.Growth(), p.Rate, want)
		}
	}
}

// Which limit made a call fail.
func TestCauses(t *testing.T) {
	const none, huge = "mmap 0x0+0x1000 = ENOMEM", "mmap 0x0+0x100000000 = ENOMEM"
	for name, tt := range map[string]struct {
		call string
		host report.Host
		want report.Cause
		why  string
	}{
		"mappings": {none, report.Host{MaxMapCount: 2}, report.CauseMappings,
			"The process has as many mappings as it may (vm.max_map_count = 2)."},
		"room for mappings": {none, report.Host{MaxMapCount: 200}, "",
			"The limit on mappings (vm.max_map_count = 200), on address space (ulimit -v) or on committed memory was met."},
		"commit limit": {huge, report.Host{Overcommit: "2"}, report.CauseCommitLimit,
			"The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of 4.0 GiB, 1.0 GiB were promised."},
		"mprotect": {"mprotect 0x1000+0x100000000 = ENOMEM prot=rw", report.Host{Overcommit: "2"}, report.CauseCommitLimit,
			"The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of 4.0 GiB, 1.0 GiB were promised."},
		"mremap": {"mremap 0x1000+0x1000 -> 0x0+0x100000000 = ENOMEM", report.Host{Overcommit: "2"}, report.CauseCommitLimit,
			"The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of 4.0 GiB, 1.0 GiB were promised."},
		"shared":                     {huge + " flags=shared", report.Host{Overcommit: "2"}, report.CauseCommitLimit, "The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of 4.0 GiB, 1.0 GiB were promised."},
		"shared file":                {huge + " flags=shared,file", report.Host{Overcommit: "2"}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"reserved":                   {huge + " prot=none", report.Host{Overcommit: "2"}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"room for promises":          {none, report.Host{Overcommit: "2"}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"larger than memory":         {huge, report.Host{Overcommit: "0", Memory: 3 << 30, Swap: 1 << 29}, report.CauseTooLarge, "It is larger than all memory and swap of the machine (3.5 GiB), which vm.overcommit_memory = 0 does not allow."},
		"no larger, swap helps":      {huge, report.Host{Overcommit: "0", Memory: 3 << 30, Swap: 1 << 30}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"all is promised":            {huge, report.Host{Overcommit: "1", Memory: 1 << 30}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"address space":              {none, report.Host{Name: "small"}, report.CauseAddressSpace, "The address space may be no larger than 11.0 KiB (ulimit -v), and has 8.0 KiB."},
		"room in the address space":  {"mmap 0x0+0xc00 = ENOMEM", report.Host{Name: "small"}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
		"another error":              {"mmap 0x0+0x1000 = EBADF", report.Host{MaxMapCount: 2}, "", "The file descriptor is not open."},
		"nothing is known of limits": {none, report.Host{}, "", "The limit on mappings, on address space (ulimit -v) or on committed memory was met."},
	} {
		tr := traced(t, "process pid=7 comm=x\nsnapshot\n 1000-2000 rw-p\n 3000-4000 rw-p\n"+tt.call+"\n")
		facts := report.Facts{Host: tt.host, Trend: report.TrendFacts{System: report.Series{Times: []event.Time{1, 2},
			Values: map[report.Metric][]uint64{report.Committed: {1 << 30, 1 << 29}, report.CommitLimit: {1 << 32, 1 << 32}}}}}
		if tt.host.Name == "small" {
			facts.Targets = []report.TargetFacts{{PID: 7, AddressLimit: 11 << 10}}
		}
		r := report.Build(tr, nil, facts)
		if len(r.Failures) != 1 || r.Failures[0].Cause != tt.want || r.Failures[0].Why != tt.why {
			t.Errorf("%s: %+v", name, r.Failures)
		}
	}
}

// Page tables do not tell what of shared memory is in swap.
func TestSharedMemoryInSwap(t *testing.T) {
	const caveat = "What of shared memory is in swap is not known: page tables do not tell it, and it counts as not in memory."
	for name, tt := range map[string]struct {
		flags string
		free  uint64
		looks bool
		want  []string
	}{
		"swap is in use":     {"shared", 1 << 20, true, []string{caveat}},
		"swap is not in use": {"shared", 1 << 21, true, nil},
		"nothing is shared":  {"stack", 1 << 20, true, nil},
		"nobody looked":      {"shared", 1 << 20, false, nil},
	} {
		tr := traced(t, "mmap 0x10000+0x4000 stack=1 flags="+tt.flags+"\n")
		facts := report.Facts{Host: report.Host{PageSize: pg, Swap: 1 << 21}, Trend: report.TrendFacts{System: report.Series{
			Times: []event.Time{1}, Values: map[report.Metric][]uint64{report.SwapFree: {tt.free}}}}}
		if tt.looks {
			facts.Resident.Spaces = []report.SpaceResidence{report.NewSpaceResidence(report.Pieces(tr)[0].Space,
				[]report.Resident{part(0x10000, 0x14000, residence(0, 1, 0, 0, 0))}, pg)}
		}
		if diff := cmp.Diff(tt.want, report.Build(tr, named, facts).Caveats); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
