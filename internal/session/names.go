package session

import (
	"io/fs"
	"os"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxRoots bounds how many processes' root directories are kept open: children
// mostly share their parents'.
const maxRoots = 64

// rootDirs holds the root directories of traced processes, in which their debug
// files and perf maps lie, also after they have ended.
type rootDirs struct {
	of    map[event.PID]*symbol.Root
	order []*symbol.Root
}

func newRootDirs() *rootDirs { return &rootDirs{of: make(map[event.PID]*symbol.Root)} }

// add opens the root directory of a process; without it its debug files are
// looked for in the host's.
func (r *rootDirs) add(p *procfs.Process) {
	if r.of[p.PID()] != nil || len(r.order) >= maxRoots {
		return
	}
	root, err := symbol.OpenRoot(int(p.PID()))
	if err != nil {
		return
	}
	if !p.Alive() { // the pid may be another's by now
		_ = root.Close()
		return
	}
	r.of[p.PID()] = root
	r.order = append(r.order, root)
}

// open opens a file in the first root that has it.
func (r *rootDirs) open(path string) (*os.File, error) {
	for _, root := range r.order {
		if f, err := root.Open(path); err == nil {
			return f, nil
		}
	}
	return nil, fs.ErrNotExist
}

func (r *rootDirs) close() {
	for _, root := range r.order {
		_ = root.Close()
	}
}

// readPerfMaps gives generated code the names that its runtime wrote down.
func (s *Session) readPerfMaps() {
	for pid, root := range s.rootDirs.of {
		t := s.trace.Tracker().Processes()[pid]
		if t == nil || s.spaces[t.Space] == nil {
			continue
		}
		f, err := root.PerfMap()
		if err != nil {
			continue // few processes have one
		}
		if err := s.spaces[t.Space].code.SetPerfMap(f); err != nil {
			s.note("reading a perf map", err)
		}
		_ = f.Close()
	}
}

// missing returns what files of code did not tell about the addresses that
// were asked for.
func (s *Session) missing() []report.MissingFacts {
	var out []report.MissingFacts
	for _, m := range s.symbols.Missing() {
		out = append(out, report.MissingFacts{Path: m.Path, BuildID: m.BuildID, Nameless: m.Nameless, Lineless: m.Lineless})
	}
	return out
}
