package report

import (
	"maps"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Metric names what is sampled through the window, with its unit.
type Metric string

// Metrics of a process, as /proc/PID/status and stat have them.
const (
	Size        Metric = "size_bytes"      // VmSize, what top calls VIRT
	RSS         Metric = "rss_bytes"       // the sum of the next three
	RSSAnon     Metric = "rss_anon_bytes"  // of its own
	RSSFile     Metric = "rss_file_bytes"  // pages of files
	RSSShmem    Metric = "rss_shmem_bytes" // shared memory
	Swap        Metric = "swap_bytes"
	PageTables  Metric = "page_table_bytes" // in no RSS
	Hugetlb     Metric = "hugetlb_bytes"    // pages of hugetlbfs, in no RSS
	MinorFaults Metric = "minor_faults"     // since the process began
	MajorFaults Metric = "major_faults"
	Threads     Metric = "threads"
	// Parts are the ranges that the tracker tells apart. The kernel joins neighbours
	// that are alike and parts those that are not: its own count is in
	// MappingsForecast.
	Parts Metric = "mapped_parts"
)

// Metrics of the machine, as /proc/meminfo and vmstat have them.
const (
	Available   Metric = "mem_available_bytes"
	SwapFree    Metric = "swap_free_bytes"
	Committed   Metric = "committed_bytes"    // what all processes may write to, Committed_AS
	CommitLimit Metric = "commit_limit_bytes" // counts only with vm.overcommit_memory=2
	SwappedIn   Metric = "swapped_in_pages"   // since the machine began
	SwappedOut  Metric = "swapped_out_pages"
)

// ProcessMetrics returns the metrics of a process, in the order for people.
func ProcessMetrics() []Metric {
	return []Metric{Size, RSS, RSSAnon, RSSFile, RSSShmem, Swap, PageTables, Hugetlb, MinorFaults, MajorFaults, Threads, Parts}
}

// SystemMetrics returns the metrics of the machine, in the order for people.
func SystemMetrics() []Metric {
	return []Metric{Available, SwapFree, Committed, CommitLimit, SwappedIn, SwappedOut}
}

// MaxSamples bounds the samples of a Series.
const MaxSamples = 600

// A Series is samples of several metrics, oldest first. Every list is as long as
// Times, which are on the clock of the events.
type Series struct {
	Times  []event.Time
	Values map[Metric][]uint64
}

// A Sampler gathers a Series. The zero value is empty.
type Sampler struct {
	series Series
	stride int // of the samples that are added, the distance of those that stay
	added  int
}

// Add takes one sample. A metric that it leaves out is 0. When there are
// MaxSamples, every second one goes and from then on only every second one stays,
// and so on; the first and the newest always do.
func (s *Sampler) Add(t event.Time, sample map[Metric]uint64) {
	x := &s.series
	if s.stride == 0 {
		s.stride, x.Values = 1, make(map[Metric][]uint64, len(sample))
	}
	if (s.added-1)%s.stride != 0 { // the newest so far was there only for being it
		n := len(x.Times) - 1
		x.each(func(list []uint64) []uint64 { return list[:n] })
		x.Times = x.Times[:n]
	}
	if len(x.Times) == MaxSamples {
		s.stride *= 2
		x.each(everySecond[uint64])
		x.Times = everySecond(x.Times)
	}
	for m := range sample {
		if x.Values[m] == nil {
			x.Values[m] = make([]uint64, len(x.Times))
		}
	}
	for m, list := range x.Values {
		x.Values[m] = append(list, sample[m])
	}
	x.Times = append(x.Times, t)
	s.added++
}

// Series returns a copy of the samples that are there.
func (s *Sampler) Series() Series {
	out := Series{Times: slices.Clone(s.series.Times), Values: maps.Clone(s.series.Values)}
	out.each(slices.Clone[[]uint64])
	return out
}

func (s *Series) each(fn func([]uint64) []uint64) {
	for m, list := range s.Values {
		s.Values[m] = fn(list)
	}
}

func everySecond[T any](list []T) []T {
	out := list[:0]
	for i := 0; i < len(list); i += 2 {
		out = append(out, list[i])
	}
	return out
}
