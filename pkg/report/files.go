package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// A File is a file that a process maps or holds, as it was at the end of the window.
type File struct {
	PID  event.PID
	Comm string
	Kind FileKind
	// Path is that of the file, or the name of a memfd; ID is that of a System V
	// segment.
	Path    string
	ID      uint64
	Deleted bool
	// Removed says that a segment goes with its last attachment.
	Removed bool
	// Size is its length and Allocated the space that it takes, in bytes, if they are
	// Known.
	Known           bool
	Size, Allocated uint64
	// Descriptors are open of it, FDs are the lowest of them. Unread says that they
	// could not be looked at.
	Descriptors uint64
	FDs         []uint32
	Unread      bool
	// Bytes and Count are the outstanding mappings of it, Other the bytes of those
	// that are older than the window.
	Bytes, Count, Other uint64
	// Owner names whose mappings they are, if that is known, and Frames is the path
	// of the largest, leaf first.
	Owner  string
	Frames []stack.Frame
	// Openers are the call paths that opened it, as far as they are known, those of
	// most descriptors and mappings first.
	Openers []Opener
}

// InMemory reports whether the file lies in memory or swap.
func (f *File) InMemory() bool { return f.Kind != PlainFile }

// Pinned is how many bytes of disk space or memory stay in use only since processes
// map the file or have it open.
func (f *File) Pinned() uint64 {
	if f.Deleted && f.Known {
		return f.Allocated
	}
	return 0
}

// many is 1 if there are many descriptors of f, else 0.
func (f *File) many() int {
	if f.Descriptors >= ManyDescriptors {
		return 1
	}
	return 0
}

// A Left is shared memory that was made in the window and that nobody uses.
type Left struct {
	Kind  shm.Kind // Posix or SysV
	ID    int32    // of a segment
	Path  string   // of an object
	Inode uint64   // of an object
	// Bytes is what it takes of memory and swap, Size its length.
	Bytes, Size uint64
	// PID and Comm are of the process that made a segment. Who made an object is not
	// known: it belongs to the user of a target.
	PID  event.PID
	Comm string
	// Frames is the call path that made a segment, leaf first.
	Frames []stack.Frame
}

// files fills in what is known of files.
func (b *builder) files(r *Report) {
	f := &b.facts.Files
	for i := range f.Spaces {
		s := &f.Spaces[i]
		sp := b.tr.Spaces()[s.Space]
		for k := range s.Files {
			r.Files = append(r.Files, b.file(sp, s, &s.Files[k]))
		}
		r.Caveats = append(r.Caveats, unreadFiles(s)...)
	}
	slices.SortStableFunc(r.Files, func(x, y File) int {
		return cmp.Or(y.many()-x.many(), cmp.Compare(y.Bytes+y.Pinned(), x.Bytes+x.Pinned()), cmp.Compare(y.Descriptors, x.Descriptors),
			strings.Compare(x.Path, y.Path), cmp.Compare(x.PID, y.PID))
	})
	for i := range f.Left {
		r.Left = append(r.Left, b.left(&f.Left[i]))
	}
	slices.SortStableFunc(r.Left, func(x, y Left) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID), strings.Compare(x.Path, y.Path))
	})
	r.Quality.LeftUnknown = f.Took == 0 || f.LeftUnknown > 0 || len(f.LeftUnseen) > 0
	if n := f.LeftUnknown; n > 0 {
		r.Caveats = append(r.Caveats, fmt.Sprintf("Whether anybody uses what is new in /dev/shm (objects: %d) is not known: there was no time "+
			"to look at all processes. \"mmtrace shm\" does.", n))
	}
	for _, pid := range f.LeftUnseen {
		r.Caveats = append(r.Caveats, fmt.Sprintf("Process %d has an IPC namespace or a /dev/shm of its own (a container?): "+
			"whether it left shared memory behind was not looked at.", pid))
	}
}

func (b *builder) file(sp *track.Space, s *SpaceFiles, f *FileFacts) File {
	out := File{
		PID: s.PID, Kind: f.Kind, Path: f.Path, Deleted: f.Deleted && f.Kind != SysVFile, Removed: f.Removed, Known: f.Known, Size: f.Size, Allocated: f.Allocated,
		Descriptors: f.Descriptors, FDs: f.FDs, Unread: s.Denied || s.Beyond, Other: f.Other,
	}
	if f.Kind == SysVFile {
		out.ID = f.Inode
	}
	if sp == nil {
		return out
	}
	out.Comm = b.comms[sp.ID]
	seen := make(map[*track.Mapping]bool)
	var largest *track.Mapping
	var by openers
	for _, o := range f.Openers {
		by.add(b, o.Stack).Descriptors += o.Descriptors
	}
	for _, r := range f.Ranges(max(b.facts.Host.PageSize, 1)) {
		e, ok := sp.Live.Find(r.Start)
		if !ok || e.Start != r.Start {
			continue
		}
		m := e.Value.Mapping
		out.Bytes += e.Len()
		if !seen[m] {
			seen[m] = true
			out.Count++
			if o := b.tr.Opener(m); o.Of(f.Inode, f.Dev, f.AltDev) {
				by.add(b, o.Stack).Mappings++
			}
		}
		if largest == nil || m.Len() > largest.Len() {
			largest = m
		}
	}
	out.Openers = by.sorted()
	if largest != nil {
		out.Frames = b.stackOf(largest.Stack)
		out.Owner = ownerOf(largest, out.Frames).Name
	}
	return out
}

// unreadFiles says what was not looked at of a process's files.
func unreadFiles(s *SpaceFiles) (out []string) {
	switch {
	case s.Denied:
		out = append(out, fmt.Sprintf("The descriptors of process %d may not be looked at: which of its files are still open is not known.", s.PID))
	case s.Beyond:
		out = append(out, fmt.Sprintf("Process %d has too many descriptors to look at all of them: more files may be open than are told.", s.PID))
	}
	if s.More > 0 {
		out = append(out, fmt.Sprintf("%d more files of process %d are not told.", s.More, s.PID))
	}
	return out
}

func (b *builder) left(f *LeftFacts) Left {
	if f.Kind == shm.Posix {
		return Left{Kind: f.Kind, Path: f.Path, Inode: f.Inode, Bytes: f.Allocated, Size: f.Size}
	}
	s := &f.Segment
	out := Left{Kind: f.Kind, ID: s.ID, Bytes: s.Resident + s.Swapped, Size: s.Size, PID: s.Creator}
	if p := b.tr.Processes()[s.Creator]; p != nil {
		out.Comm = p.Comm
	}
	if m, known := b.tr.Segments()[s.ID]; known {
		out.Frames = b.stackOf(m.Stack)
	}
	return out
}
