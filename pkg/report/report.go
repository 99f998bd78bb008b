// Package report turns what a tracker holds at the end of a window into a plain
// value that the exporters print. It knows no clock, file or machine: equal
// traces give equal reports.
package report

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A Report is everything that is printed about one window, in any format.
type Report struct {
	Tool    Tool
	Host    Host
	Targets []Target
	Window  Window
	Totals  Totals
	Quality Quality
	// Paths are the call paths with outstanding mappings, largest first.
	Paths []Path
	// Released are the call paths that mapped in the window and of which nothing
	// is outstanding, those that mapped most first. With them and Unlisted, which
	// sums up the ones that are left out, Paths account for Totals.MappedBytes.
	Released []Path
	Unlisted Unlisted
	// Remnants are mappings of which munmap took back only a part.
	Remnants []Remnant
	// Suppressed are what Suppress was told, in its order, with what it matched.
	Suppressed []Suppressed
	// Failures are the calls that failed, grouped by path and cause.
	Failures []Failure
	// HalfTime is the middle of the window in nanoseconds from its begin, 0 if what
	// was outstanding then is not known.
	HalfTime event.Time
	// Tail is how much of the window verdicts leave out, in nanoseconds from its end;
	// TailSet says that this was asked for.
	Tail    event.Time
	TailSet bool
	// Trend is how the sizes of the processes and of the machine went.
	Trend Trend
	// Overhead is what tracing cost, if there was a limit to it.
	Overhead Overhead
	// Cost is what the tracing took of the targets, the machine and the tracer.
	Cost Cost
	// Files are the files that outstanding mappings are of, and those that a
	// descriptor keeps; those with many descriptors come first, then those that take
	// most. Left is shared memory that was made in the window and that nobody uses.
	Files []File
	Left  []Left
	// Caveats are full sentences that limit what the numbers say.
	Caveats []string
}

// A Tool names the program that made the trace.
type Tool struct {
	Name, Version, Commit string
}

// A Host is the machine on which the trace was made.
type Host struct {
	Name, Kernel, Arch string
	PageSize           uint64 // bytes
	CPUs               int
	MaxMapCount        uint64 // vm.max_map_count; 0 if it could not be read
	// Overcommit is vm.overcommit_memory: "0", "1" or "2"; "" if it could not be read.
	Overcommit string `json:",omitempty"`
	// Memory and Swap are how much the machine has, in bytes; 0 if that is not known.
	Memory uint64 `json:",omitempty"`
	Swap   uint64 `json:",omitempty"`
}

// A Target is one traced process.
type Target struct {
	PID event.PID
	// Use tells processes apart that had the same ID in the window, one after the
	// other: 1 for the first, 2 for the second, and so on.
	Use     uint64
	Parent  event.PID // set for a followed child
	Comm    string
	Exe     string
	Cmdline []string
	// StartTicks is the start time in clock ticks since boot, as in /proc/PID/stat.
	StartTicks uint64
	// Ended is "" while the process lives, else "exited", "exited with status N"
	// or "killed by SIGNAL"; "called exec" is not an end.
	Ended string
	// Mappings and Bytes are the live set at the end of the window, whoever mapped it.
	// Neighbours that are alike are one mapping to the kernel, whose count this is; it
	// is that of the pieces that are known where its map was not read at the end.
	Mappings uint64
	Bytes    uint64
	// BytesBefore is the size of the map in bytes when tracing began.
	BytesBefore uint64
}

// A Window is the time that the report covers.
type Window struct {
	// StartUnix is the wall-clock time of the start in nanoseconds since 1970.
	StartUnix int64
	// Duration is in nanoseconds.
	Duration event.Time
	// StoppedBy is "duration", "signal", "exit" or "end of trace"; "interim" for
	// a report in the middle of the window.
	StoppedBy string
	// Planned is the duration asked for in nanoseconds, 0 if it was open.
	Planned event.Time
	// When says what the start waited for, and what was found then: "rss>2G: app (42):
	// rss is 2.1 GiB". It is "" if it waited for nothing.
	When string `json:",omitempty"`
	// FromExec says that the targets are commands that were traced from their execve.
	FromExec bool `json:",omitempty"`
}

// Totals are sums over all targets.
type Totals struct {
	Calls  uint64            // all calls seen, failed ones too
	ByKind map[string]uint64 // calls by name: "mmap", "munmap", ...
	Failed uint64
	// MappedBytes and UnmappedBytes were mapped and given back in the window;
	// UnmappedBytes counts only what was mapped in it.
	MappedBytes, UnmappedBytes uint64
	MappedCount, UnmappedCount uint64 // whole mappings
	// OutstandingBytes and OutstandingCount were mapped in the window and are
	// still mapped.
	OutstandingBytes, OutstandingCount uint64
	// Half was outstanding at HalfTime.
	Half Amount
	// OldBytes were mapped before the window and are still mapped; OldUnmapped
	// were mapped before it and given back in it.
	OldBytes, OldUnmapped uint64
	// HeapGrowth is the change of the program break in bytes, of the address spaces
	// that are left.
	HeapGrowth int64
	// Resident is how much of OutstandingBytes is in memory.
	Resident Residence
	// Commit is the sum of those of all paths. OldOpened is by how many bytes more or
	// fewer of what was mapped before the window are accessible, by mprotect, and
	// OldReturned how many of these madvise gave back.
	Commit      Commitment
	OldOpened   int64
	OldReturned uint64
}

// Quality says how far the numbers can be trusted.
type Quality struct {
	Events uint64 // records read
	// Lost counts records that the kernel side could not hand over (ring full),
	// Missed runs of a hook that the kernel skipped, and MapFull entries that did
	// not fit in a map of the kernel side.
	Lost, Missed, MapFull uint64
	// StacksMissing counts outstanding mappings without a call stack.
	StacksMissing uint64
	// StacksTruncated counts outstanding paths that were cut at the greatest depth,
	// StacksIncomplete those that could not be followed to their root, and
	// FramesGuessed frames that were found by frame pointers alone.
	StacksTruncated, StacksIncomplete, FramesGuessed uint64
	FramesUnresolved                                 uint64
	// Verified says that the kernel's map was read at the end. VerifiedBytes of
	// LiveBytes agree with it; ExtraBytes are live for us but not for the kernel;
	// UnexplainedBytes are mapped for the kernel but not for us. All are as of the
	// comparison: what changed while the kernel's map was being read counts as it was
	// before, and in Target.Bytes as it was afterwards.
	Verified                                               bool
	LiveBytes, VerifiedBytes, ExtraBytes, UnexplainedBytes uint64
	// EndedSpaces counts address spaces that ended before their map was read at
	// the end; for them the kernel's page count at that moment was compared.
	EndedSpaces uint64
	// Checks counts comparisons of the kernel's own page count with ours, one an
	// operation; Mismatches those that differed.
	Checks, Mismatches uint64
	// Resyncs counts re-readings of the kernel's map; ExactSince is the time into
	// the window in nanoseconds from which on nothing was lost, 0 if from the start.
	Resyncs    uint64
	ExactSince event.Time
	// Uncertain counts outstanding mappings whose path may be wrong, since events
	// were lost that could have replaced them.
	Uncertain uint64
	// Raced counts outstanding mappings, and their bytes, that two threads laid over
	// one place at the same moment: they may be of the other path. Only with the
	// order "calls".
	Raced Amount
	// ResidentUnknown is how much of what is outstanding was not looked at to see
	// whether it is in memory, whatever the reason: the process has ended, nobody
	// asked, or it is among ResidentBeyond, bytes in ResidentBeyondCount mappings for
	// which the time did not suffice. All but the last are bytes.
	ResidentUnknown, ResidentBeyond, ResidentBeyondCount uint64
	// LeftUnknown says that of some or all shared memory it is not known whether it
	// was left behind.
	LeftUnknown bool
	// ResidentDenied are the bytes in address spaces that might not be looked at.
	ResidentDenied uint64
	// ResidentBudget is the time in nanoseconds that looking it up may take for each
	// address space, 0 if it was not done; ResidentTook is what it took in all.
	ResidentBudget, ResidentTook event.Time
	// OrderMode names how changes were put in order: "lock", by the kernel's lock,
	// which is exact; or "calls", by when calls began and returned, which is exact
	// unless threads race for the same addresses. OrderWhy says in words why it was
	// not the lock.
	OrderMode, OrderWhy string
}

// A Path is a call path with its outstanding mappings, if any.
type Path struct {
	// ID is a stable hash over build IDs and offsets: the same path has the same
	// ID in another run.
	ID string
	// Comm is the name of the process.
	Comm string
	// Call is the kind of call that made the mappings: "mmap", "brk", "shmat", ...
	Call string
	// Bytes and Count are still mapped; a mapping with a remnant counts once.
	Bytes, Count uint64
	// MappedBytes and MappedCount are all that this path mapped in the window.
	MappedBytes, MappedCount uint64
	UnmappedBytes            uint64
	// Half was outstanding at Report.HalfTime.
	Half Amount
	// Rate is the growth of Bytes over the window in bytes per second.
	Rate float64
	// Oldest and Newest are ages in nanoseconds at the end of the window.
	Oldest, Newest     event.Time
	Anon, File, Shared uint64 // outstanding bytes by kind; File and Shared may overlap
	Uncertain          uint64 // mappings whose path may be wrong
	// Resident is how much of Bytes is in memory.
	Resident Residence
	// Commit is how much of it is memory, and how much address space.
	Commit Commitment
	// Verdict says whether the path leaks. Levels are its outstanding bytes at the
	// ends of equal parts of the window.
	Verdict verdict.Verdict
	Levels  []uint64
	// Open are those of them that were accessible; nil if all were at all times.
	Open []uint64
	// Owner says whose memory it is, if that is known.
	Owner verdict.Owner
	// Frames is the path, leaf first.
	Frames []stack.Frame
	// Mappings are the outstanding mappings in address order, at most MaxMappings.
	Mappings []Mapping
}

// MaxMappings bounds Path.Mappings.
const MaxMappings = 1000

// A Mapping is one outstanding mapping, or what is left of it.
type Mapping struct {
	PID        event.PID
	Start, End uint64 // as it was mapped
	Live       uint64 // bytes that are left
	Age        event.Time
	// Kind is "anon", "file" or "shared"; shared memory is that, of a file or not.
	Kind string
	File string // path of the mapped file, if any
	// Resident is how much of Live is in memory.
	Resident Residence
}

// A Remnant is a group of mappings made by one path and unmapped short by another.
type Remnant struct {
	Comm string
	// Left of Mapped bytes remain, in Count mappings.
	Left, Mapped, Count uint64
	// Where is "tail", "head", "middle" or "parts", as seen from the first mapping of the group.
	Where string
	// Example is the first mapping of the group in address order, and the range
	// that the newest munmap took from it.
	Example              Mapping
	UnmapStart, UnmapEnd uint64
	MappedAt, UnmappedAt []stack.Frame
	// Owner is that of the path that mapped. One that reserves more than it needs,
	// to align it, unmaps the rest at once.
	Owner verdict.Owner
}

// A Failure is a group of failed calls with one path, call and errno.
type Failure struct {
	Comm  string
	Call  string
	Errno string // "EINVAL"
	Count uint64
	// Example holds the newest call's arguments, written as in strace:
	// "munmap(0x7f0000001000, 0)".
	Example string
	// Why is a sentence on what is wrong with the arguments, if they tell.
	Why string
	// Cause names a limit that was met, if it is known which.
	Cause  Cause
	Frames []stack.Frame
}
