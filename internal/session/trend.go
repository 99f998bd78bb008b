package session

import (
	"cmp"
	"slices"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// sampleEvery is the distance of samples. One costs about 50 us of one CPU, and
// the process does not wait for it.
const sampleEvery = time.Second

// maxSampled bounds the processes that are sampled; each takes two open files.
const maxSampled = 64

// trends holds what was sampled through the window.
type trends struct {
	host    *procfs.HostUsageReader // nil if it cannot be read
	system  report.Sampler
	sampled map[event.PID]*sampled
	newest  time.Time
	cpu     event.Time // of those that are sampled no more, under trace
}

// A sampled is a process that is sampled.
type sampled struct {
	usage   *procfs.UsageReader
	samples report.Sampler
	cpu     event.Time // newest reading
	began   event.Time // of these, before it came under trace
}

func newTrends() *trends {
	host, err := procfs.OpenHostUsage()
	if err != nil {
		host = nil // the report then has no figures of the machine
	}
	return &trends{host: host, sampled: make(map[event.PID]*sampled)}
}

// follow begins to sample a process, or begins anew if it runs another program.
func (t *trends) follow(p *procfs.Process) {
	t.leave(p.PID())
	if len(t.sampled) >= maxSampled {
		return
	}
	usage, err := p.OpenUsage()
	if err != nil { // it may have just ended
		return
	}
	x := &sampled{usage: usage}
	if u, err := usage.Read(); err == nil {
		x.began, x.cpu = u.CPU, u.CPU
	}
	t.sampled[p.PID()] = x
}

// used returns the CPU time in nanoseconds of all that is or was sampled.
func (t *trends) used() event.Time {
	sum := t.cpu
	for _, x := range t.sampled {
		sum += x.cpu - x.began
	}
	return sum
}

// leave forgets a process.
func (t *trends) leave(pid event.PID) {
	if x := t.sampled[pid]; x != nil {
		t.cpu += x.cpu - x.began
		_ = x.usage.Close() // it was only read
		delete(t.sampled, pid)
	}
}

func (t *trends) close() {
	for pid := range t.sampled {
		t.leave(pid)
	}
	if t.host != nil {
		_ = t.host.Close() // it was only read
		t.host = nil
	}
}

// facts returns the samples so far, by process.
func (t *trends) facts() report.TrendFacts {
	f := report.TrendFacts{System: t.system.Series()}
	for pid, x := range t.sampled {
		if s := x.samples.Series(); len(s.Times) > 0 {
			f.Processes = append(f.Processes, report.ProcessSeries{PID: pid, Series: s})
		}
	}
	slices.SortFunc(f.Processes, func(x, y report.ProcessSeries) int { return cmp.Compare(x.PID, y.PID) })
	return f
}

// sampleIfDue takes a sample if the newest is sampleEvery old.
func (s *Session) sampleIfDue() {
	if time.Since(s.trends.newest) >= sampleEvery {
		s.sample()
		s.save()
	}
}

// sample takes a sample of the machine and of every process.
func (s *Session) sample() {
	s.trends.newest = time.Now()
	if s.trends.host != nil {
		if u, err := s.trends.host.Read(); err == nil {
			s.trends.system.Add(now(), map[report.Metric]uint64{
				report.Available: u.Available, report.SwapFree: u.SwapFree, report.Committed: u.Committed,
				report.CommitLimit: u.CommitLimit, report.SwappedIn: u.SwappedIn, report.SwappedOut: u.SwappedOut,
			})
		}
	}
	for pid := range s.trends.sampled {
		s.sampleProcess(pid)
	}
}

// sampleProcess takes a sample of one process, unless it has ended.
func (s *Session) sampleProcess(pid event.PID) {
	x := s.trends.sampled[pid]
	if x == nil {
		return
	}
	if p := s.procs[pid]; p != nil {
		s.costs.look(p.Process)
	}
	u, err := x.usage.Read()
	if err != nil {
		return
	}
	x.cpu = u.CPU
	x.samples.Add(now(), map[report.Metric]uint64{
		report.Size: u.Size, report.RSS: u.RSS(), report.RSSAnon: u.RSSAnon, report.RSSFile: u.RSSFile,
		report.RSSShmem: u.RSSShmem, report.Swap: u.Swap, report.PageTables: u.PageTables, report.Hugetlb: u.Hugetlb,
		report.MinorFaults: u.MinorFaults, report.MajorFaults: u.MajorFaults, report.Threads: u.Threads,
		report.Parts: s.parts(pid),
	})
}

// parts returns how many ranges the tracker tells apart in a process's space, or
// what the kernel's map had if it is not yet in the tracker.
func (s *Session) parts(pid event.PID) uint64 {
	p := s.trace.Tracker().Processes()[pid]
	if p == nil {
		return 0
	}
	if state := s.trace.Tracker().Spaces()[p.Space]; state != nil && state.First.N > 0 {
		return uint64(state.Live.Len())
	}
	if sp := s.spaces[p.Space]; sp != nil {
		return uint64(sp.regionCount)
	}
	return 0
}
