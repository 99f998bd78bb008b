package session

import (
	"os"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// A space is what the live side holds of one address space.
type space struct {
	id    event.SpaceID
	proc  *procfs.Process  // a process that uses it; nil if none could be opened
	file  *procfs.SpaceMap // its map; nil if it could not be opened
	code  *symbol.Space
	stale bool // code was mapped since code was updated

	codes     []code // what the kernel side knows of code, in address order
	changes   uint32 // code_changes that codes take in
	installed bool

	told     *told // nil if nothing is known for sure
	recalled int   // changes of told that code takes in

	regionCount int // of the map when it was last read

	reading *reading      // under way; nil if none is
	read    time.Time     // when the map was last read
	took    time.Duration // how long that took
}

// A process is a traced process.
type process struct {
	*procfs.Process
	own bool // opened here
}

func (p *process) close() {
	if p.own && p.Process != nil {
		_ = p.Process.Close()
	}
}

func (sp *space) close() {
	if sp.file != nil {
		_ = sp.file.Close()
	}
}

// space returns the live side of an address space, new if need be.
func (s *Session) space(id event.SpaceID) *space {
	sp := s.spaces[id]
	if sp == nil {
		sp = &space{id: id, code: s.symbols.NewSpace(), stale: true}
		s.spaces[id] = sp
	}
	return sp
}

// enter notes that a process uses a space from now on.
func (s *Session) enter(p *procfs.Process, parent event.PID, id event.SpaceID, own bool) {
	if old := s.procs[p.PID()]; old != nil && old.Process != p {
		old.close()
	}
	s.procs[p.PID()] = &process{p, own}
	sp := s.space(id)
	if sp.file == nil {
		sp.proc = p
		sp.file, _ = p.OpenMap() // without it the space cannot be verified, which the report says
	}
	s.describe(p, parent, id)
	s.trends.follow(p)
	s.costs.follow(p, own)
	s.rootDirs.add(p)
	s.views.add(p)
	s.shared.runsAs(p)
}

// reopen opens the map anew: between two quick calls of execve the wrong space
// may have been opened.
func (sp *space) reopen() {
	if sp.proc == nil {
		return
	}
	sp.close()
	sp.file, _ = sp.proc.OpenMap()
}

// regions reads the kernel's map.
func (sp *space) regions() ([]event.Region, error) {
	if sp.file == nil {
		return nil, procfs.ErrNoProcess
	}
	return sp.file.Read()
}

// updateCode lets the code map of sp know what is mapped, opens the files that
// are new, and tells the kernel side. changes is the number of the newest change
// of code that regions take in.
func (s *Session) updateCode(sp *space, regions []event.Region, changes uint32) {
	s.learn(sp.code, sp.proc, regions, func(r event.Region) (*os.File, error) { return s.openTold(sp, r) })
	sp.stale = false
	s.install(sp, changes)
}

// learn gives a code map its regions and what belongs to them. otherwise opens files
// that the process does not lead to, or no more; it may be nil.
func (s *Session) learn(code *symbol.Space, p *procfs.Process, regions []event.Region, otherwise func(event.Region) (*os.File, error)) {
	code.Update(regions, func(r event.Region) (f *os.File, err error) {
		err = procfs.ErrNoFile
		if p != nil {
			f, err = p.OpenRegion(r)
		}
		if err != nil && otherwise != nil {
			f, err = otherwise(r)
		}
		return f, err
	})
	if p == nil || code.HasVDSO() {
		return
	}
	for i := range regions {
		if r := &regions[i]; r.Path == "[vdso]" && r.Len() < 1<<20 {
			if image, err := p.ReadMemory(r.Start, int(r.Len())); err == nil {
				code.SetVDSO(image)
			}
		}
	}
}

// prepare makes the unwind tables of a process that is about to be traced, so
// that its first stacks are walked in the kernel.
func (s *Session) prepare(p *procfs.Process) {
	regions, err := p.Maps()
	if err != nil {
		return // attaching says why
	}
	code := s.symbols.NewSpace()
	s.learn(code, p, regions, nil)
	if err := s.tables.load(code.Code()); err != nil {
		s.note("making unwind tables", err)
	}
}
