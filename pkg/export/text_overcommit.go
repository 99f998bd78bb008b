package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// refuses reports whether calls failed for the given cause.
func (t *text) refuses(c report.Cause) bool {
	for i := range t.r.Failures {
		if t.r.Failures[i].Cause == c {
			return true
		}
	}
	return false
}

// refused says which limit made calls fail, and how to make room.
func (t *text) refused() {
	for _, c := range []report.Cause{report.CauseMappings, report.CauseCommitLimit, report.CauseTooLarge, report.CauseAddressSpace} {
		var calls []string
		var why string
		counts := make(map[string]uint64)
		for i := range t.r.Failures {
			f := &t.r.Failures[i]
			if f.Cause != c {
				continue
			}
			if counts[f.Call] == 0 {
				calls = append(calls, f.Call)
			}
			counts[f.Call] += f.Count
			if why == "" { // that of the most frequent
				why = f.Why
			}
		}
		for i, call := range calls {
			calls[i] = printable(call) + " failed " + times(counts[call])
		}
		if len(calls) > 0 {
			t.fact(alert, "limit", "%s with ENOMEM. %s %s", strings.Join(calls, ", "), unbroken(why), makeRoom(c))
		}
	}
}

// makeRoom says what to do about a limit.
func makeRoom(c report.Cause) string {
	switch c {
	case report.CauseMappings:
		return "A larger vm.max_map_count makes room."
	case report.CauseCommitLimit:
		return "A larger vm.overcommit_ratio, or swap, makes room."
	case report.CauseAddressSpace:
		return "A larger ulimit -v makes room."
	}
	return "Map less at once, or reserve with PROT_NONE and open by mprotect what is needed."
}

// overcommit warns of promises that the machine may not be able to keep.
func (t *text) overcommit() {
	switch {
	case t.touchRisk():
		t.fact(alert, "risk", "%s", t.touchText())
	case t.nearCommitLimit() && !t.refuses(report.CauseCommitLimit):
		t.fact(alert, "limit", "%s. %s", t.promiseText(), makeRoom(report.CauseCommitLimit))
	}
}

// touchRisk reports whether more memory may still be touched than the machine has.
func (t *text) touchRisk() bool {
	s := t.r.Trend.System
	available := s[report.Available]
	return available.Max > 0 && t.r.Totals.Commit.Untouched > available.Last+s[report.SwapFree].Last
}

func (t *text) touchText() string {
	s := t.r.Trend.System
	return fmt.Sprintf("%s may still be touched, and the machine has %s available and %s of swap free: "+
		"if all of it is touched, the kernel ends a process (OOM).", size(t.r.Totals.Commit.Untouched),
		size(s[report.Available].Last), size(s[report.SwapFree].Last))
}

// nearCommitLimit reports whether nine tenths of what the kernel may promise is
// promised, and it keeps to that.
func (t *text) nearCommitLimit() bool {
	s := t.r.Trend.System
	limit := s[report.CommitLimit].Last
	return t.r.Host.Overcommit == "2" && limit > 0 && s[report.Committed].Max >= limit-limit/10
}

func (t *text) promiseText() string {
	s := t.r.Trend.System
	return fmt.Sprintf("Committed_AS, what all processes are promised, is up to %s of CommitLimit, %s (vm.overcommit_memory = 2): at the limit mmap fails with ENOMEM",
		size(s[report.Committed].Max), size(s[report.CommitLimit].Last))
}

// promises writes what the machine has for what may be touched.
func (t *text) promises() {
	s := t.r.Trend.System
	n := t.r.Totals.Commit.Untouched
	switch {
	case t.touchRisk():
		t.point("%s", t.touchText())
	case s[report.Available].Max > 0 && n > 0:
		t.point("%s may still be touched; the machine has %s available and %s of swap free.", size(n),
			size(s[report.Available].Last), size(s[report.SwapFree].Last))
	}
	committed, limit := s[report.Committed].Last, s[report.CommitLimit].Last
	switch mode := t.r.Host.Overcommit; {
	case limit == 0:
	case mode == "2":
		t.point("%s.", t.promiseText())
	case mode == "1":
		t.point("Committed_AS, what all processes are promised, is %s. vm.overcommit_memory is 1: the kernel promises whatever is asked for.", size(committed))
	case mode == "0":
		t.point("Committed_AS, what all processes are promised, is %s. vm.overcommit_memory is 0: CommitLimit (%s) does not count, and only a single mapping larger than all memory and swap is refused.",
			size(committed), size(limit))
	}
}

// commitStep is what to do next about what is reserved.
func (t *text) commitStep(risky bool) string {
	switch {
	case t.refuses(report.CauseCommitLimit), t.nearCommitLimit():
		return "Raise vm.overcommit_ratio or vm.overcommit_kbytes, or add swap. PROT_NONE is not promised memory: reserve with it, and open by mprotect what is needed."
	case t.refuses(report.CauseTooLarge):
		return "Map less at once, or reserve with PROT_NONE and open by mprotect what is needed."
	case risky:
		return "Bound what the program may touch (its pools, its threads, a memory cgroup), or add memory or swap."
	}
	for i := range t.r.Paths {
		if t.r.Paths[i].Verdict.Of == verdict.Committed {
			return "Look for what opens more and more by mprotect. What has no access costs no memory."
		}
	}
	return "Nothing, for memory's sake: address space costs none. Judge it by what is in memory."
}

// givenBack lists the paths whose memory madvise gave back while it stayed mapped.
func (t *text) givenBack() {
	c := &t.r.Totals.Commit
	if c.Returned < fewReserved && t.r.Totals.OldReturned < fewReserved {
		return
	}
	t.title("GIVEN BACK AND STILL MAPPED", "madvise returns RSS and keeps VIRT: no leak of memory, unless it is used again.")
	shown, more := 0, 0
	row := func(s style, mapped, back, present, by string) {
		t.para(s, rightTo(mapped, 12)+rightTo(back, 12)+rightTo(present, 12)+"  ", "%s", by)
	}
	row(dim, "mapped", "given back", "in memory", "by")
	for i := range t.r.Paths {
		p := &t.r.Paths[i]
		switch {
		case p.Commit.Returned == 0:
			continue
		case shown == maxListed:
			more++
			continue
		}
		shown++
		by := place(p) + ", in " + count(p.Commit.ReturnedCalls, "call") + lazyText(&p.Commit, ", ")
		row(plain, size(p.Bytes), size(p.Commit.Returned), presentOf(p.Resident.Scanned, p.Resident.Present), by)
	}
	if more > 0 {
		t.para(dim, "  ", "and %s more", number(uint64(more)))
	}
	if n := t.r.Totals.OldReturned; n > 0 {
		row(plain, size(t.r.Totals.OldBytes), size(n), "", "older mappings")
	}
}
