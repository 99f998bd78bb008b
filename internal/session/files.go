package session

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/shmem"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// Looking up files may take filesBudget in all, and maxDescriptors are looked at of
// each process.
const (
	filesBudget    = 500 * time.Millisecond
	maxDescriptors = 1 << 16
	maxFDs         = 3 // descriptors that are told of one file
)

// A fileKey names a file.
type fileKey struct{ dev, inode uint64 }

// A files gathers those of one process.
type files struct {
	proc  *procfs.Process
	space *track.Space
	page  uint64
	types map[uint64]string // of file systems by device
	byKey map[fileKey]*file
}

// A file is one of them.
type file struct {
	report.FileFacts
	ranges  []interval.Range
	regular bool
}

// fileFacts looks up the files that outstanding mappings are of and what descriptors
// keep, of each process that lives.
func (s *Session) fileFacts() report.FilesFacts {
	start := time.Now()
	until := start.Add(cmp.Or(s.cfg.FilesBudget, filesBudget))
	_, pieces := bySpace(report.FilePieces(s.trace))
	segments, _ := procfs.Segments() // without them nothing is known of any
	var f report.FilesFacts
	for _, sp := range s.unsettled(nil) {
		live := s.spaces[sp.ID]
		if live == nil || live.proc == nil || !live.proc.Alive() {
			continue
		}
		if x, ok := s.filesOf(live, pieces[sp.ID], segments, until); ok {
			f.Spaces = append(f.Spaces, x)
		}
	}
	s.leftBehind(&f, segments)
	f.Took = event.Time(time.Since(start))
	return f
}

// filesOf returns the files of a space; ok is false if there is nothing to tell.
func (s *Session) filesOf(sp *space, pieces []interval.Range, segments []shm.Segment, until time.Time) (out report.SpaceFiles, ok bool) {
	out = report.SpaceFiles{Space: sp.id, PID: sp.proc.PID()}
	fds, beyond, err := sp.proc.Descriptors(maxDescriptors, until)
	out.Beyond, out.Denied = beyond, errors.Is(err, fs.ErrPermission)
	x := &files{proc: sp.proc, space: s.trace.Tracker().Spaces()[sp.id], page: s.page, byKey: make(map[fileKey]*file)}
	if x.types, err = sp.proc.Filesystems(); err != nil {
		x.types = nil // then files in memory show as files
	}
	for i := range fds {
		x.held(&fds[i])
	}
	if regions, err := sp.regions(); err == nil {
		x.mapped(pieces, regions)
	}
	if !slices.Contains(s.shared.elsewhere, out.PID) {
		x.attached(segments)
	}
	out.Files, out.More = x.facts()
	return out, len(out.Files) > 0 || len(pieces) > 0 && (out.Beyond || out.Denied)
}

// held notes an open file.
func (x *files) held(d *procfs.Descriptor) {
	f := x.file(fileKey{d.Dev, d.Inode}, d.Path)
	f.regular, f.Known, f.Size, f.Allocated, f.Deleted = d.Regular, true, d.Size, d.Allocated, d.Links == 0
	f.Descriptors++
	f.FDs = append(f.FDs, d.FD)
}

// file returns the facts on a file, new if need be.
func (x *files) file(k fileKey, path string) *file {
	f := x.byKey[k]
	if f == nil {
		kind, name, gone := shmem.NameOf(path)
		f = &file{FileFacts: report.FileFacts{Kind: x.kind(kind, k.dev), Path: text(name), Dev: k.dev, Inode: k.inode, Deleted: gone}}
		x.byKey[k] = f
	}
	return f
}

func (x *files) kind(k shm.Kind, dev uint64) report.FileKind {
	switch {
	case k == shm.Memfd:
		return report.MemFile
	case k == shm.SysV:
		return report.SysVFile
	case !procfs.InMemory(x.types[dev]):
		return report.PlainFile
	case k == shm.Posix:
		return report.ShmFile
	}
	return report.TmpFile
}

// mapped notes which files pieces are of, and what else is mapped of these and of
// open ones. A piece is of the file of the region that it begins in: pieces that
// are neighbours in a file are one region for the kernel.
func (x *files) mapped(pieces []interval.Range, regions []event.Region) {
	slices.SortFunc(pieces, func(a, b interval.Range) int { return cmp.Compare(a.Start, b.Start) })
	in := make(map[*file]*event.Region)
	for _, r := range pieces {
		i, found := slices.BinarySearchFunc(regions, r.Start, func(reg event.Region, at uint64) int {
			switch {
			case reg.End <= at:
				return -1
			case reg.Start > at:
				return 1
			}
			return 0
		})
		if !found || !isFile(&regions[i]) {
			continue
		}
		f := x.fileOf(&regions[i])
		f.ranges = append(f.ranges, r)
		in[f] = &regions[i]
	}
	for f, r := range in {
		x.measure(f, r)
	}
	for i := range regions {
		r := &regions[i]
		if f := x.byKey[fileKey{r.Dev, r.Inode}]; f != nil && isFile(r) {
			f.Other += r.Len() // less what is outstanding, see facts
		}
	}
}

// isFile reports whether a region is of a file that has, or had, a name; shared
// memory that is anonymous has one of the kernel's.
func isFile(r *event.Region) bool {
	return r.Inode != 0 && strings.HasPrefix(r.Path, "/") && r.Path != "/dev/zero (deleted)" && !strings.HasPrefix(r.Path, "/anon_hugepage")
}

// fileOf returns the file of a region. Some file systems number devices in one way
// for descriptors and in another for maps.
func (x *files) fileOf(r *event.Region) *file {
	k := fileKey{r.Dev, r.Inode}
	if x.byKey[k] != nil {
		return x.byKey[k]
	}
	_, name, gone := shmem.NameOf(r.Path)
	for other, f := range x.byKey {
		if other.inode == r.Inode && f.Path == text(name) && f.Deleted == gone {
			x.byKey[k] = f
			if r.Dev != f.Dev {
				f.AltDev = r.Dev
			}
			return f
		}
	}
	return x.file(k, r.Path)
}

// measure looks up the size of a file that is not open.
func (x *files) measure(f *file, r *event.Region) {
	if f.Known {
		return
	}
	if n, err := x.proc.RegionNode(*r); err == nil {
		f.Known, f.Size, f.Allocated, f.Deleted = true, n.Size, n.Allocated, n.Links == 0
		if n.Inode == f.Inode && n.Dev != f.Dev {
			f.AltDev = n.Dev
		}
	}
}

// attached adds what is known of System V segments.
func (x *files) attached(segments []shm.Segment) {
	for _, f := range x.byKey {
		i := slices.IndexFunc(segments, func(g shm.Segment) bool { return f.Kind == report.SysVFile && uint64(uint32(g.ID)) == f.Inode })
		if i >= 0 {
			g := &segments[i]
			f.Known, f.Removed, f.Size, f.Allocated = true, g.Removed, g.Size, g.Resident+g.Swapped
		}
	}
}

// kept reports whether a file is worth telling even if nothing outstanding is of it.
func (x *files) kept(f *file) bool {
	return f.regular && (f.Deleted && f.Allocated > 0 || f.Descriptors >= report.ManyDescriptors)
}

// facts returns the files to tell, those with most mapped or kept first, at most
// report.MaxFiles, and how many more there are.
func (x *files) facts() (out []report.FileFacts, more uint64) {
	seen := make(map[*file]bool)
	var list []*file
	for _, f := range x.byKey {
		if !seen[f] && (len(f.ranges) > 0 || x.kept(f)) {
			seen[f] = true
			list = append(list, f)
		}
	}
	bytes := make(map[*file]uint64)
	for _, f := range list {
		for _, r := range f.ranges {
			bytes[f] += r.Len()
		}
		f.Other -= min(f.Other, bytes[f])
		slices.Sort(f.FDs)
		f.Openers = x.openers(f)
		f.FDs = f.FDs[:min(len(f.FDs), maxFDs)]
		f.SetRanges(f.ranges, x.page)
	}
	slices.SortFunc(list, func(a, b *file) int {
		return cmp.Or(b.many()-a.many(), cmp.Compare(bytes[b]+b.Allocated, bytes[a]+a.Allocated), cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Inode, b.Inode))
	})
	n := min(len(list), report.MaxFiles)
	for _, f := range list[:n] {
		out = append(out, f.FileFacts)
	}
	return out, uint64(len(list) - n)
}

// openers returns the call paths that opened descriptors of f which are still open.
func (x *files) openers(f *file) (out []report.OpenerFacts) {
	for _, fd := range f.FDs {
		o := x.space.Opened(x.proc.PID(), fd)
		if !o.Of(f.Inode, f.Dev, f.AltDev) {
			continue
		}
		i, found := slices.BinarySearchFunc(out, o.Stack, func(a report.OpenerFacts, id stack.ID) int { return cmp.Compare(a.Stack, id) })
		if !found {
			out = slices.Insert(out, i, report.OpenerFacts{Stack: o.Stack})
		}
		out[i].Descriptors++
	}
	return out
}

// many is 1 if a process has many descriptors of f, else 0.
func (f *file) many() int {
	if f.Descriptors >= report.ManyDescriptors {
		return 1
	}
	return 0
}

// text returns a path as a recording, which is JSON, can hold it: bytes that are no
// UTF-8 as \xNN.
func text(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	var b strings.Builder
	for len(path) > 0 {
		r, n := utf8.DecodeRuneInString(path)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, path[0])
		} else {
			b.WriteString(path[:n])
		}
		path = path[n:]
	}
	return b.String()
}
