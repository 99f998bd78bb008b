package report

import (
	"fmt"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A Cause is a limit that makes calls fail with ENOMEM.
type Cause string

// Causes. "" is one that is not known.
const (
	// CauseMappings: the process has as many mappings as it may (vm.max_map_count).
	CauseMappings Cause = "mappings"
	// CauseCommitLimit: vm.overcommit_memory is 2, and all processes together would
	// have been promised more than CommitLimit.
	CauseCommitLimit Cause = "commit limit"
	// CauseTooLarge: vm.overcommit_memory is 0, and one mapping is larger than memory
	// and swap together.
	CauseTooLarge Cause = "larger than memory"
	// CauseAddressSpace: the process would have more address space than it may
	// (RLIMIT_AS, ulimit -v).
	CauseAddressSpace Cause = "address space"
)

// keptBack is what the kernel keeps back of CommitLimit by default: for the
// administrator 8 MiB, and for each user up to 128 MiB (mm/util.c,
// __vm_enough_memory; vm.admin_reserve_kbytes and user_reserve_kbytes).
const keptBack = 136 << 20

// cause returns the limit that a call which failed with ENOMEM met, as far as the
// numbers of the window tell.
func (b *builder) cause(k track.FailureKey, f *track.Failure) Cause {
	h := &b.facts.Host
	if k.Errno != eNOMEM {
		return ""
	}
	sp := b.tr.Spaces()[k.Space]
	if sp != nil && h.MaxMapCount > 0 && uint64(max(sp.First.N, sp.Newest.N)) >= h.MaxMapCount-min(1, h.MaxMapCount) {
		return CauseMappings
	}
	if limit := b.addressLimit(k.Space); sp != nil && limit > 0 && sp.Live.Bytes()+length(k.Kind, f.Args) > limit {
		return CauseAddressSpace
	}
	n := promise(k.Kind, f.Args)
	switch {
	case n == 0:
		return ""
	case h.Overcommit == "2":
		committed, limit := b.most(Committed), b.most(CommitLimit)
		if limit > 0 && committed+n+keptBack > limit {
			return CauseCommitLimit
		}
	case h.Overcommit == "0" && h.Memory > 0 && n > h.Memory+h.Swap:
		return CauseTooLarge
	}
	return ""
}

// addressLimit returns how large a space may be in bytes, 0 if that is not limited
// or not known.
func (b *builder) addressLimit(id event.SpaceID) uint64 {
	return b.targetFacts(b.pids[id], id).AddressLimit
}

// length returns by how many bytes a call would have made the address space larger.
func length(k event.Kind, a [6]uint64) uint64 {
	switch {
	case k == event.Mmap:
		return a[1]
	case k == event.Mremap && a[2] > a[1]:
		return a[2] - a[1]
	}
	return 0
}

// most returns the highest sample of a metric of the machine.
func (b *builder) most(m Metric) uint64 {
	if v := b.facts.Trend.System.Values[m]; len(v) > 0 {
		return slices.Max(v)
	}
	return 0
}

// promise returns for how many bytes the kernel would have had to promise memory:
// those of private memory that may be written to, and of shared memory without a
// file (mm/mmap.c, accountable_mapping).
func promise(k event.Kind, a [6]uint64) uint64 {
	const write = uint64(event.ProtWrite)
	switch {
	case k == event.Mmap && a[3]&event.MapShared == 0 && a[2]&write != 0,
		k == event.Mmap && a[3]&event.MapShared != 0 && a[3]&event.MapAnonymous != 0:
		return a[1]
	case k == event.Mprotect && a[2]&write != 0:
		return a[1]
	case k == event.Mremap && a[2] > a[1]:
		return a[2] - a[1]
	}
	return 0
}

// whyCause is a sentence on the limit that was met.
func (b *builder) whyCause(c Cause, space event.SpaceID) string {
	h := &b.facts.Host
	switch c {
	case CauseAddressSpace:
		return fmt.Sprintf("The address space may be no larger than %s (ulimit -v), and has %s.",
			bytes.text(float64(b.addressLimit(space))), bytes.text(float64(b.tr.Spaces()[space].Live.Bytes())))
	case CauseMappings:
		return fmt.Sprintf("The process has as many mappings as it may (vm.max_map_count = %d).", h.MaxMapCount)
	case CauseCommitLimit:
		return fmt.Sprintf("The kernel promises no more memory than CommitLimit (vm.overcommit_memory = 2): of %s, %s were promised.",
			bytes.text(float64(b.most(CommitLimit))), bytes.text(float64(b.most(Committed))))
	case CauseTooLarge:
		return fmt.Sprintf("It is larger than all memory and swap of the machine (%s), which vm.overcommit_memory = 0 does not allow.",
			bytes.text(float64(h.Memory+h.Swap)))
	}
	return ""
}
