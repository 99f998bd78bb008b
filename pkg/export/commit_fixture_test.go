package export

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

const (
	gib = 1 << 30

	onlyReserved = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; all of it is reserved and has no access (PROT_NONE): it is address space, not memory."
	gaveBack     = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; but madvise gives its memory back again and again: VIRT is kept for later use, RSS is returned, so this is no leak."
	gaveBackOnce = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; madvise gave its memory back: VIRT is kept, RSS was returned, so it is address space, not memory."
	gaveBackLazy = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; madvise gave its memory back: VIRT is kept, RSS counts it only until the kernel needs it (MADV_FREE), so it is address space, not memory."
	lazyAgain    = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; but madvise gives its memory back again and again: VIRT is kept for later use, RSS counts it only until the kernel needs it (MADV_FREE), so this is no leak."
	perhapsLazy  = "192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; MADV_FREE gave its memory back, and whether it is in use again is not known: if not, RSS counts it only until the kernel needs it."
	opensMore    = "It holds no more address space, but makes more and more of it accessible through the whole window."
)

// of returns p with a verdict of a substance, and a commitment.
func of(s verdict.Substance, p report.Path, c report.Commitment) report.Path {
	p.Verdict.Of, p.Commit = s, c
	return p
}

func by(function, file string, line int, p report.Path) report.Path {
	p.Frames = []stack.Frame{lib("mmap"), c(function, file, line), c("main", "main.c", 12)}
	return p
}

// touched returns p, all of it looked at, with so many MiB in memory.
func touched(present uint64, p report.Path) report.Path {
	p.Resident = report.Residence{Scanned: p.Bytes, Present: present * mib, Anon: present * mib}
	return p
}

// machined adds what the machine has to r, and the sums of its paths.
func machined(mode string, r *report.Report) *report.Report {
	r.Host.Overcommit, r.Host.Memory, r.Host.Swap = mode, 32*gib, 2*gib
	r.Trend.System = report.Lines{report.Available: line(9*gib, 8*gib), report.SwapFree: line(2*gib, 2*gib),
		report.Committed: line(12*gib, 12*gib), report.CommitLimit: line(18*gib, 18*gib)}
	for i := range r.Paths {
		r.Totals.Resident.Add(r.Paths[i].Resident)
		r.Totals.Commit.Add(r.Paths[i].Commit)
	}
	return r
}

// reserved is 192 MiB of address space that was never made accessible.
func reserved() report.Path {
	return of(verdict.AddressSpace, by("reserve_slot", "slots.c", 31, touched(0, judged(verdict.Leak, 192, onlyReserved, verdict.Owner{}))),
		report.Commitment{Reserved: 192 * mib, Closed: 192 * mib})
}

// emptied is what an allocator keeps mapped and gave back.
func emptied(lazy uint64) report.Path {
	return of(verdict.AddressSpace, by("chunk_purge", "alloc.c", 90, touched(12, judged(verdict.Growing, 192, gaveBack, verdict.Owner{}))),
		report.Commitment{Untouched: 180 * mib, Returned: 640 * mib, ReturnedLazy: lazy * mib, ReturnedCalls: 312})
}

// waiting is what MADV_FREE gave back in so many calls, of which some is in memory
// until the kernel needs it.
func waiting(of192 verdict.Verdict, calls, held, unknown uint64) report.Path {
	p := of(of192.Of, by("pool_trim", "pool.c", 44, touched(191, judged(of192.Kind, 192, of192.Why, verdict.Owner{}))),
		report.Commitment{Untouched: mib, Returned: calls * mib, ReturnedLazy: calls * mib, ReturnedCalls: calls, LazyHeld: held * mib, LazyUnknown: unknown * mib})
	return p
}

// opened is a reservation of 4 GiB of which more and more is made accessible.
func opened() report.Path {
	p := of(verdict.Committed, by("heap_grow", "heap.c", 7, touched(80, judged(verdict.Growing, 4096, opensMore, verdict.Owner{}))),
		report.Commitment{Reserved: 4*gib + 3*mib, Committed: 99 * mib, Overlaid: 3 * mib, Present: 82 * mib, Closed: 4*gib - 96*mib, ClosedHeld: 2 * mib, Untouched: 16 * mib})
	p.Rate, p.Open, p.Levels = 96*mib/30.0, ramp(96*mib, 60), plateau(4*gib, 60)
	return p
}

// stacks are made accessible at once, with MAP_NORESERVE.
func stacks(n uint64) report.Path {
	return of("", by("start_worker", "pool.c", 55, touched(n/64, judged(verdict.Once, n, "It mapped once in this window.",
		verdict.Owner{Name: "stack mapping", What: "Stacks.", Advice: "Count the threads."}))),
		report.Commitment{Reserved: n * mib, Committed: n * mib, Present: n / 64 * mib, NoReserve: n * mib, Untouched: (n - n/64) * mib})
}

func refusedBy(c report.Cause, why, call string, n uint64) report.Failure {
	return report.Failure{Comm: "imgcache", Call: call, Errno: "ENOMEM", Count: n, Why: why, Cause: c,
		Example: "mmap(NULL, 1073741824, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
		Frames:  []stack.Frame{lib("mmap"), c0("grow_table")}}
}

func c0(function string) stack.Frame { return c(function, "table.c", 12) }

const (
	promised = "The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of 18.0 GiB, 17.9 GiB were promised."
	tooLarge = "It is larger than all memory and swap of the machine (34.0 GiB), which vm.overcommit_memory = 0 does not allow."
	allTaken = "The process has as many mappings as it may (vm.max_map_count = 65530)."
)

// failing adds failed calls to r.
func failing(r *report.Report, fs ...report.Failure) *report.Report {
	r.Failures = fs
	for i := range fs {
		r.Totals.Failed += fs[i].Count
	}
	return r
}

// eleven returns paths that reserve from 11 to 1 MiB.
func eleven() []report.Path {
	var ps []report.Path
	for i := range uint64(11) {
		p := of("", judged(verdict.Once, 11-i, "It mapped once in this window.", verdict.Owner{}), report.Commitment{Reserved: (11 - i) * mib, Closed: (11 - i) * mib})
		p.Commit.Returned, p.Commit.ReturnedCalls = (12-i)*mib, 1
		ps = append(ps, p)
	}
	return ps
}

// commits are all that the text has to say about address space that is reserved,
// about what is promised and about what was given back.
var commits = []answer{
	{"address space leaks", machined("0", with(reserved())), Options{}},
	{"address space leaks, and memory", machined("0", with(reserved(), judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}))), Options{}},
	{"more and more of a reservation is opened", machined("1", with(opened(), stacks(64))), Options{}},
	{"a part has access", machined("0", with(of(verdict.AddressSpace, by("reserve_slot", "slots.c", 31, touched(3, judged(verdict.Leak, 192,
		"192 of 192 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window; 95 % of it is reserved and has no access (PROT_NONE): it is address space, not memory.", verdict.Owner{}))),
		report.Commitment{Reserved: 192 * mib, Committed: 9 * mib, Present: 3 * mib, Closed: 183 * mib, Untouched: 6 * mib}))), Options{}},
	{"madvise gave it back", machined("0", with(emptied(0))), Options{}},
	{"madvise gave it back once", machined("0", with(of(verdict.AddressSpace, by("spawn", "pool.c", 9, touched(2, judged(verdict.Leak, 192, gaveBackOnce,
		verdict.Owner{Name: "thread stack", What: "Stacks of threads.", Advice: "Join or detach threads."}))),
		report.Commitment{Untouched: 190 * mib, Returned: 190 * mib, ReturnedCalls: 192}))), Options{}},
	{"madvise gave it back, in part for later", machined("0", changed(with(emptied(100)), func(r *report.Report) {
		r.Totals.OldReturned, r.Paths[0].Commit.LazyHeld = 3*mib, 9*mib
	})), Options{}},
	{"MADV_FREE gave it back once", machined("0", with(waiting(verdict.Verdict{Kind: verdict.Leak, Of: verdict.AddressSpace, Why: gaveBackLazy}, 192, 189, 0))), Options{}},
	{"MADV_FREE gives it back again and again", machined("0", with(waiting(verdict.Verdict{Kind: verdict.Growing, Of: verdict.AddressSpace, Why: lazyAgain}, 576, 180, 0))), Options{}},
	{"MADV_FREE gave it back, and it is in use again", machined("0", with(waiting(verdict.Verdict{Kind: verdict.Leak, Why: neverUnmapped}, 192, 0, 0))), Options{}},
	{"MADV_FREE gave it back, and nobody knows what became of it", machined("0", with(waiting(verdict.Verdict{Kind: verdict.Leak, Why: perhapsLazy}, 192, 0, 192))), Options{}},
	{"madvise gave back older mappings, and mprotect opened some", machined("0", changed(quiet(), func(r *report.Report) {
		r.Totals.OldReturned, r.Totals.OldOpened = 3*mib, -8*kib
	})), Options{}},
	{"more may be touched than there is", machined("0", with(stacks(16384))), Options{}},
	{"more may be touched than there is, and MAP_NORESERVE is ignored", machined("2", with(stacks(16384))), Options{}},
	{"residence is unknown, and nothing was sampled", changed(machined("", with(reserved(), stacks(64))), func(r *report.Report) {
		r.Trend.System, r.Totals.Resident = nil, report.Residence{}
		for i := range r.Paths {
			r.Paths[i].Resident = report.Residence{}
		}
	}), Options{}},
	{"eleven paths reserve and give back", machined("0", with(eleven()...)), Options{}},
	{"little is reserved", machined("0", with(of("", judged(verdict.Once, 64, "It mapped once in this window.", verdict.Owner{}), report.Commitment{Reserved: mib, Committed: mib}))), Options{}},
	{"the commit limit is near", changed(machined("2", with(slow(3))), func(r *report.Report) { r.Trend.System[report.Committed] = line(16*gib, 17*gib) }), Options{}},
	{"the commit limit was met", changed(machined("2", failing(with(slow(3)), refusedBy(report.CauseCommitLimit, promised, "mmap", 12), refusedBy(report.CauseCommitLimit, promised, "mprotect", 1))),
		func(r *report.Report) { r.Trend.System[report.Committed] = line(16*gib, 17*gib+900*mib) }), Options{}},
	{"a mapping was larger than the machine", machined("0", failing(quiet(), refusedBy(report.CauseTooLarge, tooLarge, "mmap", 2))), Options{}},
	{"the address space is as large as it may be", machined("0", failing(quiet(), refusedBy(report.CauseAddressSpace,
		"The address space may be no larger than 448.0 MiB (ulimit -v), and has 424.0 MiB.", "mmap", 2))), Options{}},
	{"all mappings are taken, and mmap failed", trended(func(r *report.Report, p *report.ProcessTrend) {
		p.Mappings = report.MappingsForecast{Now: 65531, Limit: 65530, PerSecond: 12, Due: true}
		failing(r, refusedBy(report.CauseMappings, allTaken, "mmap", 7))
	}), Options{}},
}

// TestCommits compares what reports say about address space and memory.
func TestCommits(t *testing.T) { checkAnswers(t, "testdata/commits.txt", commits) }

// committed has a commitment and a cause in every place of the JSON form.
func committed() *report.Report {
	r := machined("2", failing(with(opened(), emptied(100)), refusedBy(report.CauseCommitLimit, promised, "mmap", 12)))
	r.Totals.OldOpened, r.Totals.OldReturned = -8*kib, 3*mib
	return r
}
