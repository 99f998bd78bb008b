package session

import (
	"os"
	"slices"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/shmem"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

const (
	// usersBudget is how long looking for the users of new objects may take: a busy
	// machine lets one wait, though it takes little time of a CPU.
	usersBudget = 2 * time.Second
	// maxObjects bounds the objects in /dev/shm that are looked at.
	maxObjects = 1 << 14
)

// shared is what there was of shared memory when the window began, by which new
// pieces are told.
type shared struct {
	segments  map[int32]bool
	objects   map[uint64]bool // by inode
	users     map[uint32]bool // that targets run as
	elsewhere []event.PID     // targets with namespaces of their own
}

// noteShared notes what there is of shared memory before the targets go on.
func noteShared(targets []*procfs.Process) *shared {
	x := &shared{segments: make(map[int32]bool), objects: make(map[uint64]bool), users: make(map[uint32]bool)}
	list, _ := procfs.Segments() // without any, none is new either
	for _, g := range list {
		x.segments[g.ID] = true
	}
	for _, o := range shmObjects() {
		x.objects[o.Inode] = true
	}
	ipc, _ := procfs.SelfNamespace("ipc")
	dir, _ := procfs.NodeOf(shmem.Dir)
	for _, p := range targets {
		x.runsAs(p)
		ns, err := p.Namespace("ipc")
		n, nerr := p.Node("root" + shmem.Dir)
		if err == nil && ns != ipc || nerr == nil && n.Dev != dir.Dev {
			x.elsewhere = append(x.elsewhere, p.PID())
		}
	}
	return x
}

// runsAs notes the user that a process runs as, which may be another after execve.
func (x *shared) runsAs(p *procfs.Process) {
	if st, err := p.Status(); err == nil {
		x.users[st.UID] = true
	}
}

// A shmObject is a file in shmem.Dir.
type shmObject struct {
	procfs.Node
	path string
}

// shmObjects lists shmem.Dir. What is in directories of it was not made by shm_open.
func shmObjects() (out []shmObject) {
	d, err := os.Open(shmem.Dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxObjects) // the end, if there is none
	for _, name := range names {
		path := shmem.Dir + "/" + name
		if n, err := procfs.NodeOf(path); err == nil && n.Regular {
			out = append(out, shmObject{n, path})
		}
	}
	return out
}

// leftBehind adds to f the shared memory that is new and that nobody uses: segments
// that a traced process made, and objects of a target's user.
func (s *Session) leftBehind(f *report.FilesFacts, segments []shm.Segment) {
	f.LeftUnseen = s.shared.elsewhere
	for _, g := range segments {
		if g.Attached == 0 && !s.shared.segments[g.ID] && s.trace.Tracker().Processes()[g.Creator] != nil {
			f.Left = append(f.Left, report.LeftFacts{Kind: shm.SysV, Segment: g})
		}
	}
	var fresh []shmObject
	for _, o := range shmObjects() {
		if o.Allocated > 0 && !s.shared.objects[o.Inode] && s.shared.users[o.UID] {
			fresh = append(fresh, o)
		}
	}
	if len(fresh) == 0 {
		return
	}
	inv, err := shmem.Scan(shmem.Options{Until: time.Now().Add(max(s.cfg.FilesBudget, usersBudget)), Self: true})
	if err != nil || inv.Seen.Unfinished {
		f.LeftUnknown = uint64(len(fresh))
		return
	}
	unused := shm.Judge(inv).Unused
	for _, o := range fresh {
		if slices.ContainsFunc(unused, func(it shm.Item) bool { return it.Kind == shm.Posix && it.File.Inode == o.Inode }) {
			f.Left = append(f.Left, report.LeftFacts{Kind: shm.Posix, Path: text(o.path), Inode: o.Inode, Size: o.Size, Allocated: o.Allocated})
		}
	}
}
