package report

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// A FileKind says what a file is.
type FileKind string

// Kinds of files. System V segments have one, too.
const (
	PlainFile FileKind = "file"  // on disk, or a device
	TmpFile   FileKind = "tmpfs" // in memory, with or without a name
	MemFile   FileKind = "memfd"
	ShmFile   FileKind = "posix" // of /dev/shm
	SysVFile  FileKind = "sysv"
)

// ManyDescriptors are so many of one file, in one process, that it is worth telling.
const ManyDescriptors = 32

// MaxFiles bounds the files of one address space.
const MaxFiles = 1000

// FilesFacts are what was read of files behind the end of the window, while the
// processes went on.
type FilesFacts struct {
	Took   event.Time // ns
	Spaces []SpaceFiles
	// Left is shared memory that was made in the window and that nobody uses.
	Left []LeftFacts
	// LeftUnseen are the processes of which nobody looked for that: they have an IPC
	// namespace or a /dev/shm of their own.
	LeftUnseen []event.PID
	// LeftUnknown counts new objects in /dev/shm of which nobody knows whether they
	// are in use, since there was no time to look at all processes.
	LeftUnknown uint64 `json:",omitempty"`
}

// SpaceFiles are files that the process of an address space maps or has open.
type SpaceFiles struct {
	Space event.SpaceID
	PID   event.PID
	// Beyond says that not all descriptors were looked at, Denied that none may be.
	Beyond, Denied bool
	Files          []FileFacts
	More           uint64 // files that are left out
}

// FileFacts are what was read of one file.
type FileFacts struct {
	Kind       FileKind
	Path       string // without " (deleted)"; of a memfd its name
	Dev, Inode uint64
	// AltDev is another number of its device, 0 if there is none: some file systems
	// have one for stat and one for maps.
	AltDev  uint64 `json:",omitempty"`
	Deleted bool   // it has no name any more
	// Removed says that a segment goes with its last attachment.
	Removed bool
	// Size is the length of the file and Allocated the space that it takes, in bytes,
	// if they are Known.
	Known           bool
	Size, Allocated uint64
	Descriptors     uint64
	FDs             []uint32 // the lowest of them
	// Openers are the calls that opened descriptors of it, as far as they were seen.
	Openers []OpenerFacts `json:",omitempty"`
	// Other are the bytes of mappings of it that are not outstanding, since they are
	// older than the window.
	Other uint64
	// Pages holds two numbers of pages for each outstanding range, in the order of
	// addresses: how far it begins behind the end of the one before, and its length.
	Pages []uint64
}

// OpenerFacts are descriptors that are still open and that one call path opened.
type OpenerFacts struct {
	Stack       stack.ID
	Descriptors uint64
}

// SetRanges fills in Pages, in pages of the given size in bytes.
func (f *FileFacts) SetRanges(ranges []interval.Range, page uint64) {
	slices.SortFunc(ranges, func(x, y interval.Range) int { return cmp.Compare(x.Start, y.Start) })
	f.Pages = make([]uint64, 0, 2*len(ranges))
	end := uint64(0)
	for _, r := range ranges {
		f.Pages = append(f.Pages, (r.Start-end)/page, r.Len()/page)
		end = r.End
	}
}

// Ranges returns what SetRanges was given.
func (f *FileFacts) Ranges(page uint64) []interval.Range {
	out := make([]interval.Range, 0, len(f.Pages)/2)
	end := uint64(0)
	for n := f.Pages; len(n) >= 2; n = n[2:] {
		start := end + n[0]*page
		end = start + n[1]*page
		out = append(out, interval.Range{Start: start, End: end})
	}
	return out
}

// LeftFacts are what was read of shared memory that was left behind.
type LeftFacts struct {
	Kind shm.Kind // Posix or SysV
	// Segment is set for SysV, the others for Posix.
	Segment         shm.Segment
	Path            string
	Inode           uint64
	Size, Allocated uint64
}

// FilePieces returns the outstanding pieces of files and of shared memory by space
// and address.
func FilePieces(t *trace.Trace) []Piece {
	b := &builder{t: t, tr: t.Tracker()}
	b.spaces()
	var out []Piece
	for _, sp := range b.list {
		for e := range sp.Live.All() {
			if m := e.Value.Mapping; b.outstands(m) && (m.File || m.Shared) {
				out = append(out, Piece{sp.ID, e.Range})
			}
		}
	}
	return out
}
