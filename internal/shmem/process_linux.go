package shmem

import (
	"errors"
	"io/fs"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// process adds what one process maps and holds.
func (s *scan) process(e procfs.Entry) {
	p, err := procfs.Open(e.PID)
	if errors.Is(err, fs.ErrPermission) {
		s.inv.Seen.Denied++
		return
	}
	if err != nil {
		return // it is gone by now
	}
	defer p.Close()
	until := s.Until
	if until.IsZero() {
		until = time.Now().Add(time.Hour)
	}
	fds, left, err := p.Descriptors(maxDescriptors, until)
	regions, merr := p.Maps()
	if errors.Is(err, fs.ErrPermission) || errors.Is(merr, fs.ErrPermission) {
		s.inv.Seen.Denied++ // what may be read counts all the same
	} else {
		s.inv.Seen.Processes++
	}
	s.inv.Seen.Unfinished = s.inv.Seen.Unfinished || left
	s.learnMounts(p)
	ours := s.sameIPC(p)
	for i := range regions {
		s.mapped(p, e, &regions[i], ours)
	}
	for i := range fds {
		s.held(e, &fds[i])
	}
}

// learnMounts reads the file systems of a mount namespace that is new, and notes
// whether it has another Dir.
func (s *scan) learnMounts(p *procfs.Process) {
	ns, err := p.Namespace("mnt")
	if err != nil {
		return
	}
	if _, known := s.mounts[ns]; !known {
		n, err := p.Node("root" + Dir)
		s.mounts[ns] = err == nil && n.Dev != s.shmDev // has another one
		types, err := p.Filesystems()
		if err != nil {
			delete(s.mounts, ns)
		}
		for dev, t := range types {
			s.types[dev] = t
		}
	}
	if s.mounts[ns] {
		s.inv.Seen.OtherShm++
	}
}

// sameIPC reports whether p's System V segments are those that are listed.
func (s *scan) sameIPC(p *procfs.Process) bool {
	ns, err := p.Namespace("ipc")
	if err == nil && ns != s.ipc {
		s.inv.Seen.OtherIPC++
		return false
	}
	return true
}

// mapped notes that a process maps a region.
func (s *scan) mapped(p *procfs.Process, e procfs.Entry, r *event.Region, ours bool) {
	if r.Inode == 0 {
		return
	}
	kind, name, gone := NameOf(r.Path)
	if kind == shm.SysV {
		if a := s.byID[r.Inode]; a != nil && ours {
			mapping(holder(&a.Holders, e), r)
		}
		return
	}
	if f := s.files[key{r.Dev, r.Inode}]; f != nil {
		mapping(holder(&f.Holders, e), r)
		return
	}
	kind, ok := s.counts(kind, r.Dev, gone)
	if !ok {
		return
	}
	n, err := p.RegionNode(*r)
	if err == nil && !n.Regular {
		return
	}
	f := s.file(procfs.Node{Dev: r.Dev, Inode: r.Inode, Size: n.Size, Allocated: n.Allocated, UID: n.UID, Mode: n.Mode,
		Created: n.Created, Changed: n.Changed}, kind, name)
	f.Unknown = err != nil
	mapping(holder(&f.Holders, e), r)
}

func mapping(h *shm.Holder, r *event.Region) {
	if h.Mappings++; h.Mappings == 1 {
		h.Start, h.End = r.Start, r.End
	}
}

// held notes that a process has a file open.
func (s *scan) held(e procfs.Entry, d *procfs.Descriptor) {
	if !d.Regular {
		return
	}
	f := s.files[key{d.Dev, d.Inode}]
	if f == nil || f.Unknown {
		kind, name, gone := NameOf(d.Path)
		kind, ok := s.counts(kind, d.Dev, gone)
		if !ok {
			return
		}
		if f != nil { // mapped, too; now its size is known
			f.Size, f.Allocated, f.UID, f.Mode = d.Size, d.Allocated, d.UID, d.Mode
			f.Created, f.Changed, f.Unknown = d.Created, d.Changed, false
			s.user(f.UID)
		} else {
			f = s.file(d.Node, kind, name)
		}
	}
	h := holder(&f.Holders, e)
	if h.Descriptors++; h.Descriptors == 1 || d.FD < h.Descriptor {
		h.Descriptor = d.FD
	}
}

// counts decides whether a file that is not known yet belongs in the inventory, and
// as what: memfds, and files in memory that have no name any more.
func (s *scan) counts(kind shm.Kind, dev uint64, gone bool) (shm.Kind, bool) {
	switch {
	case kind == shm.Memfd:
		return kind, true
	case !gone, kind == shm.SysV:
		return "", false
	}
	// Shared anonymous memory, and the kernel's own, are of a device that is mounted
	// nowhere, so that its type is not known.
	return shm.Deleted, procfs.InMemory(s.types[dev])
}

// holder returns the entry of a process, which is the last one if there is one.
func holder(list *[]shm.Holder, e procfs.Entry) *shm.Holder {
	if n := len(*list); n == 0 || (*list)[n-1].PID != e.PID {
		*list = append(*list, shm.Holder{PID: e.PID, Comm: e.Comm})
	}
	return &(*list)[len(*list)-1]
}
