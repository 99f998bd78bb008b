package shmem

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// A key names a file.
type key struct{ dev, inode uint64 }

// A scan is an inventory being made.
type scan struct {
	Options
	inv    *shm.Inventory
	files  map[key]*shm.File
	byID   map[uint64]*shm.Attachable
	types  map[uint64]string // of file systems by device
	mounts map[uint64]bool   // mount namespaces of which types are known
	shmDev uint64            // device of Dir, 0 if there is none
	ipc    uint64            // IPC namespace
	boot   int64             // seconds since 1970
}

// Scan returns what there is of shared memory in the caller's namespaces, and which
// processes use it. Files in flight between processes, and those that the kernel
// itself holds, have no holders. Files are ordered by device and inode, segments by
// ID, holders by pid. The error is that of listing processes; what else could not be
// read is in Seen.
func Scan(o Options) (*shm.Inventory, error) {
	s := &scan{
		Options: o, inv: &shm.Inventory{Time: time.Now().Unix(), Users: make(map[uint32]string)},
		files: make(map[key]*shm.File), byID: make(map[uint64]*shm.Attachable),
		types: make(map[uint64]string), mounts: make(map[uint64]bool),
	}
	list, err := procfs.List()
	if err != nil {
		return nil, err
	}
	if h, err := procfs.ReadHost(); err == nil {
		s.boot = h.BootUnix
	}
	s.ipc, _ = procfs.SelfNamespace("ipc")
	s.segments()
	s.objects()
	if self, err := procfs.Open(event.PID(os.Getpid())); err == nil {
		s.learnMounts(self)
		_ = self.Close() // it was only read
	}
	for _, e := range list {
		if o.Self && e.PID == event.PID(os.Getpid()) {
			continue
		}
		if !o.Until.IsZero() && time.Now().After(o.Until) {
			s.inv.Seen.Unfinished = true
			break
		}
		s.process(e)
	}
	s.hidden(list)
	s.finish()
	return s.inv, nil
}

// segments reads the System V segments.
func (s *scan) segments() {
	list, err := procfs.Segments()
	if err != nil {
		s.failed("System V segments could not be read", err)
		return
	}
	slices.SortFunc(list, func(x, y shm.Segment) int { return cmp.Compare(x.ID, y.ID) })
	s.inv.Segments = make([]shm.Attachable, len(list))
	for i := range list {
		a := &s.inv.Segments[i]
		a.Segment = list[i]
		a.Maker = s.maker(list[i].Creator, list[i].ChangedAt)
		s.byID[uint64(uint32(a.ID))] = a
		s.user(a.UID)
	}
}

// maker looks for the process that made something at a time. One that started later
// only has its number.
func (s *scan) maker(pid event.PID, at int64) shm.Process {
	p := shm.Process{PID: pid, Known: pid != 0}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if pid == 0 || err != nil {
		return p
	}
	st, err := procfs.ParseStat(text)
	if err != nil || st.Ended() || s.boot+int64(st.StartTicks/procfs.ClockTicks) > at+1 {
		return p
	}
	p.Alive, p.Comm = true, st.Comm
	return p
}

// objects lists what has a name in Dir.
func (s *scan) objects() {
	top, err := procfs.NodeOf(Dir)
	if err != nil {
		s.failed(Dir+" could not be listed", err)
		return
	}
	s.shmDev = top.Dev
	err = filepath.WalkDir(Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			s.failed(path+" could not be listed", err)
			return nil
		}
		n, err := procfs.NodeOf(path)
		switch {
		case err != nil: // it is gone by now
			return nil
		case n.Dev != top.Dev && d.IsDir():
			return fs.SkipDir
		case n.Regular && n.Dev == top.Dev:
			s.file(n, shm.Posix, path)
		}
		if len(s.files) >= maxObjects {
			s.inv.Seen.Unfinished = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		s.failed(Dir+" could not be listed", err)
	}
}

// file returns the file of a node, new if need be.
func (s *scan) file(n procfs.Node, kind shm.Kind, path string) *shm.File {
	k := key{n.Dev, n.Inode}
	f := s.files[k]
	if f == nil {
		f = &shm.File{Kind: kind, Path: path, Dev: n.Dev, Inode: n.Inode, Size: n.Size, Allocated: n.Allocated,
			UID: n.UID, Mode: n.Mode, Created: n.Created, Changed: n.Changed}
		s.files[k] = f
		s.user(f.UID)
	}
	return f
}

// user looks up the name of a user, once.
func (s *scan) user(uid uint32) {
	if _, known := s.inv.Users[uid]; known {
		return
	}
	s.inv.Users[uid] = ""
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		s.inv.Users[uid] = u.Username
	}
}

func (s *scan) failed(what string, err error) {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	s.inv.Seen.Errors = append(s.inv.Seen.Errors, what+": "+err.Error())
}

// hidden notes what namespaces and mount options keep from us.
func (s *scan) hidden(list []procfs.Entry) {
	if ns, err := procfs.SelfNamespace("pid"); err == nil {
		s.inv.Seen.OwnPIDs = ns != initPIDNamespace
	}
	s.inv.Seen.Hidden = !slices.ContainsFunc(list, func(e procfs.Entry) bool { return e.PID == 1 })
}

// initPIDNamespace is the number of the first one (PROC_PID_INIT_INO of
// include/linux/proc_ns.h).
const initPIDNamespace = 0xEFFFFFFC

// finish puts what was found in order.
func (s *scan) finish() {
	for _, f := range s.files {
		s.inv.Files = append(s.inv.Files, *f)
	}
	slices.SortFunc(s.inv.Files, func(x, y shm.File) int {
		return cmp.Or(cmp.Compare(x.Dev, y.Dev), cmp.Compare(x.Inode, y.Inode))
	})
}
