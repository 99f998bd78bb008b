package report

import (
	"fmt"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// targets lists the traced processes by ID.
func (b *builder) targets(r *Report) {
	for _, p := range processes(b.tr) {
		f := b.targetFacts(p.PID, p.Space)
		t := Target{PID: p.PID, Use: 1, Parent: p.Parent, Comm: p.Comm, Exe: f.Exe, Cmdline: f.Cmdline, StartTicks: f.StartTicks}
		if n := len(r.Targets); n > 0 && r.Targets[n-1].PID == p.PID {
			t.Use = r.Targets[n-1].Use + 1
		}
		if p.Ended {
			t.Ended = ending(p.Status)
		}
		if sp := b.tr.Spaces()[p.Space]; sp != nil {
			t.BytesBefore = sp.Before
			if !sp.Ended || p.Parent == 0 {
				t.Mappings, t.Bytes = b.mappings(sp), sp.Live.Bytes()
			}
		}
		r.Targets = append(r.Targets, t)
	}
}

// mappings returns how many mappings the kernel counts, which joins neighbours that
// are alike: by its map if that was read at the end, else by the pieces that are known.
func (b *builder) mappings(sp *track.Space) uint64 {
	if sp.Newest.N > 0 && sp.Newest.Time >= b.facts.End {
		return uint64(sp.Newest.N)
	}
	return uint64(sp.Live.Len())
}

// lookUp returns a look-up of what was read about processes. If several had an ID, of
// which former are all but the last, it is that in whose space it was last.
func lookUp(targets []TargetFacts, former []*track.Process) func(event.PID, event.SpaceID) TargetFacts {
	type key struct {
		pid   event.PID
		space event.SpaceID // 0: any, if no other process had the ID
	}
	facts := make(map[key]TargetFacts)
	for _, f := range targets {
		facts[key{f.PID, 0}] = f
		facts[key{f.PID, f.Space}] = f
	}
	for _, p := range former {
		delete(facts, key{p.PID, 0})
	}
	return func(pid event.PID, space event.SpaceID) TargetFacts {
		if f, ok := facts[key{pid, space}]; ok {
			return f
		}
		return facts[key{pid, 0}]
	}
}

// ending says how a process ended, from its status as wait(2) has it.
func ending(status int64) string {
	if sig := status & 0x7f; sig != 0 {
		return "killed by " + signalName(int(sig))
	}
	if code := status >> 8 & 0xff; code != 0 {
		return fmt.Sprintf("exited with status %d", code)
	}
	return "exited"
}

// Signals of Linux, the same on x86-64 and arm64.
var signalNames = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
	9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
	24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}

func signalName(n int) string {
	if s, ok := signalNames[n]; ok {
		return s
	}
	return fmt.Sprintf("signal %d", n)
}

// totals sums up what happened in the window.
func (b *builder) totals(r *Report) {
	s := b.tr.Stats()
	t := Totals{
		ByKind: make(map[string]uint64), Failed: s.Failed,
		MappedBytes: s.Mapped, UnmappedBytes: s.Unmapped,
		MappedCount: s.MappedCount, UnmappedCount: s.GoneCount,
		OldUnmapped: s.OldUnmapped, OldOpened: s.OldOpened, OldReturned: s.OldReturned,
	}
	for k, n := range s.Calls {
		t.ByKind[k.String()] += n
		t.Calls += n
	}
	for i := range r.Paths {
		t.OutstandingBytes += r.Paths[i].Bytes
		t.OutstandingCount += r.Paths[i].Count
	}
	for _, sp := range b.list {
		t.HeapGrowth += sp.HeapGrowth
		for e := range sp.Live.All() {
			if e.Value.Origin == track.Before {
				t.OldBytes += e.Len()
			}
		}
	}
	r.Totals = t
}

// quality says how far the numbers can be trusted.
func (b *builder) quality(r *Report) {
	s, k := b.tr.Stats(), b.facts.Kernel
	q := Quality{
		Events: max(k.Events, b.t.Order().Events), Lost: k.Lost, Missed: k.Missed, MapFull: k.MapFull,
		Checks: s.Checks, Mismatches: s.Mismatches, Resyncs: s.Resyncs, OrderMode: k.OrderMode, OrderWhy: k.OrderWhy,
	}
	q.Verified = len(b.list) > 0
	for _, sp := range b.list {
		b.verified(&q, sp)
	}
	q.Raced = b.raced
	for i := range r.Paths {
		p := &r.Paths[i]
		q.Uncertain += p.Uncertain
		if len(p.Frames) == 0 {
			q.StacksMissing += p.Count
		}
		for _, f := range p.Frames {
			q.countFrame(&f)
		}
	}
	r.Quality = q
}

// countFrame counts what a frame does not tell.
func (q *Quality) countFrame(f *stack.Frame) {
	switch {
	case f.Function == stack.Truncated:
		q.StacksTruncated++
	case f.Function == stack.Incomplete:
		q.StacksIncomplete++
	case f.Function == "":
		q.FramesUnresolved++
	}
	if f.Guessed {
		q.FramesGuessed++
	}
}

// verified adds what the kernel confirms of one space: its map, or for a space
// that ended its page count.
func (b *builder) verified(q *Quality, sp *track.Space) {
	live := sp.Live.Bytes()
	c := sp.Settled
	switch {
	case sp.Ended:
		q.EndedSpaces++
		if !sp.CountedOut {
			q.Verified = false
			return
		}
		q.LiveBytes += live
		q.VerifiedBytes += live
	case c.Done:
		q.LiveBytes += c.Live
		q.VerifiedBytes += c.Agreed
		q.ExtraBytes += c.Extra
		q.UnexplainedBytes += c.Unexplained
	default:
		q.Verified = false
	}
	if sp.Exact > 0 {
		q.ExactSince = max(q.ExactSince, min(sp.Exact, b.facts.End)-b.facts.Begin)
	}
}

// sharedMaySwap reports whether shared memory was looked at that may be in swap.
func sharedMaySwap(r *Report) bool {
	free, ok := r.Trend.System[SwapFree]
	if !ok || free.Last >= r.Host.Swap || r.Totals.Resident.Scanned == 0 {
		return false
	}
	return slices.ContainsFunc(r.Paths, func(p Path) bool { return p.Shared > 0 })
}

// untold says what process_madvise gave back without saying of which mappings.
func untold(n uint64) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("process_madvise gave back %s more than is told: of each of its calls the first 32 ranges are looked at.", bytes.text(float64(n)))}
}

// caveats are sentences that limit what the numbers say.
func caveats(r *Report, targets []TargetFacts) []string {
	var out []string
	for _, f := range targets {
		if f.Is32 {
			out = append(out, fmt.Sprintf("%s (pid %d) is a 32-bit program: its call paths cannot be captured. The sums are exact all the same.", f.Comm, f.PID))
		}
	}
	if n := r.Quality.ResidentBeyondCount; n > 0 {
		out = append(out, fmt.Sprintf("For %d of %d mappings it is not known how much is in memory: looking it up may take %s for each process, and that time was used up.",
			n, r.Totals.OutstandingCount, verdict.Span(r.Quality.ResidentBudget)))
	}
	if sharedMaySwap(r) {
		out = append(out, "What of shared memory is in swap is not known: page tables do not tell it, and it counts as not in memory.")
	}
	if r.Quality.ResidentDenied > 0 {
		out = append(out, "It is not known how much is in memory: to look that up in another user's process takes cap_dac_read_search.")
	}
	switch n := r.Quality.EndedSpaces; {
	case n == 1:
		out = append(out, "The process has ended: its map cannot be read any more. What it held then was compared with the kernel's page count.")
	case n > 1:
		out = append(out, fmt.Sprintf("%d processes have ended: their maps cannot be read any more. What they held then was compared with the kernel's page counts.", n))
	}
	return out
}
