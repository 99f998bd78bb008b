package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// failures groups failed calls by path, call and error.
func (b *builder) failures(r *Report) {
	type group struct {
		Failure
		newest event.Time
	}
	groups := make(map[string]*group)
	for k, f := range b.tr.Failures() {
		frames := b.stackOf(k.Stack)
		key := fmt.Sprintf("%d\n%s", k.Errno, pathKey(b.comms[k.Space], k.Kind, frames))
		g := groups[key]
		if g == nil {
			g = &group{Failure: Failure{Comm: b.comms[k.Space], Call: k.Kind.String(),
				Errno: errnoName(k.Errno), Frames: frames}, newest: -1}
			groups[key] = g
		}
		g.Count += f.Count
		example := callText(k.Kind, f.Args)
		if f.Time > g.newest || f.Time == g.newest && example < g.Example {
			g.newest, g.Example, g.Why = f.Time, example, why(k, f, b.facts.Host)
			if g.Cause = b.cause(k, f); g.Cause != "" && k.Kind != event.Munmap {
				g.Why = b.whyCause(g.Cause, k.Space)
			}
		}
	}
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y string) int {
		return cmp.Or(cmp.Compare(groups[y].Count, groups[x].Count), strings.Compare(x, y))
	})
	for _, k := range keys {
		r.Failures = append(r.Failures, groups[k].Failure)
	}
}

// why says what is wrong with a failed call, as far as its arguments tell; the
// conditions are those of the man pages.
func why(k track.FailureKey, f *track.Failure, h Host) string {
	page := max(h.PageSize, 1)
	switch k.Kind {
	case event.Munmap:
		return whyMunmap(k.Errno, f.Args, page, h.MaxMapCount)
	case event.Mmap:
		return whyMmap(k.Errno, f.Args, h.MaxMapCount)
	case event.Mremap:
		if k.Errno == eFAULT {
			return "The old range holds memory that is not mapped, or more than one mapping."
		}
		if k.Errno == eNOMEM {
			return "There was no room to grow, or a limit on mappings or address space was met."
		}
	}
	return ""
}

func whyMunmap(errno int, args [6]uint64, page, maxMaps uint64) string {
	switch {
	case errno == eINVAL && args[1] == 0:
		return "The length is 0: nothing was unmapped."
	case errno == eINVAL && args[0]%page != 0:
		return fmt.Sprintf("The address is not a multiple of the page size (it is off by %d bytes): nothing was unmapped.", args[0]%page)
	case errno == eINVAL:
		return "The range is not one that can be unmapped: it leaves the address space or cuts a huge page."
	case errno == eNOMEM:
		return "To unmap a part would split a mapping in two, and the limit on mappings" + limit(maxMaps) + " was met."
	case errno == ePERM:
		return "The range is sealed (mseal): it cannot be unmapped."
	}
	return ""
}

func whyMmap(errno int, args [6]uint64, maxMaps uint64) string {
	switch {
	case errno == eINVAL && args[1] == 0:
		return "The length is 0."
	case errno == eEXIST:
		return "MAP_FIXED_NOREPLACE: something is mapped there already."
	case errno == eNOMEM && args[1] > 1<<46:
		return "The length is larger than any address space has room for."
	case errno == eNOMEM:
		return "The limit on mappings" + limit(maxMaps) + ", on address space (ulimit -v) or on committed memory was met."
	case errno == eBADF:
		return "The file descriptor is not open."
	case errno == eACCES:
		return "The file is not open in the mode that the mapping asks for."
	}
	return ""
}

func limit(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (vm.max_map_count = %d)", n)
}

// callText writes a call with its arguments as strace would, addresses and
// lengths as they were passed.
func callText(k event.Kind, a [6]uint64) string {
	switch k {
	case event.Mmap:
		return fmt.Sprintf("mmap(%s, %d, %s, %s, %d, %#x)", address(a[0]), a[1], protText(a[2]), mapFlags(a[3]), int32(a[4]), a[5])
	case event.Munmap:
		return fmt.Sprintf("munmap(%s, %d)", address(a[0]), a[1])
	case event.Mremap:
		return fmt.Sprintf("mremap(%s, %d, %d, %#x, %s)", address(a[0]), a[1], a[2], a[3], address(a[4]))
	case event.Mprotect:
		return fmt.Sprintf("mprotect(%s, %d, %s)", address(a[0]), a[1], protText(a[2]))
	case event.Madvise:
		return fmt.Sprintf("madvise(%s, %d, %d)", address(a[0]), a[1], int32(a[2]))
	case event.Shmat:
		return fmt.Sprintf("shmat(%d, %s, %#o)", int32(a[0]), address(a[1]), a[2])
	case event.Shmdt, event.IoDestroy:
		return fmt.Sprintf("%s(%s)", k, address(a[0]))
	case event.IoSetup:
		return fmt.Sprintf("io_setup(%d, %s)", uint32(a[0]), address(a[1]))
	}
	return fmt.Sprintf("%s(%#x, %#x, %#x, %#x)", k, a[0], a[1], a[2], a[3])
}

func address(a uint64) string {
	if a == 0 {
		return "NULL"
	}
	return fmt.Sprintf("%#x", a)
}

func protText(p uint64) string {
	return bitNames(p, "PROT_NONE", []bit{{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}})
}

func mapFlags(f uint64) string {
	return bitNames(f, "0", []bit{
		{event.MapShared, "MAP_SHARED"}, {event.MapPrivate, "MAP_PRIVATE"}, {event.MapFixed, "MAP_FIXED"},
		{event.MapAnonymous, "MAP_ANONYMOUS"}, {event.MapGrowsDown, "MAP_GROWSDOWN"},
		{0x2000, "MAP_LOCKED"}, {event.MapNoReserve, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
		{event.MapStack, "MAP_STACK"}, {event.MapHugeTLB, "MAP_HUGETLB"}, {event.MapFixedNoRep, "MAP_FIXED_NOREPLACE"},
	})
}

type bit struct {
	value uint64
	name  string
}

// bitNames joins the names of v's bits; bits without a name follow in hex.
func bitNames(v uint64, zero string, bits []bit) string {
	var names []string
	for _, b := range bits {
		if v&b.value != 0 {
			names = append(names, b.name)
			v &^= b.value
		}
	}
	if v != 0 {
		names = append(names, fmt.Sprintf("%#x", v))
	}
	if len(names) == 0 {
		return zero
	}
	return strings.Join(names, "|")
}
