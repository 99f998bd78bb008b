package session

import (
	"os"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

const (
	maxViews  = 64
	maxAbsent = 4096
)

// views are where files of code are looked for by their names: as this process sees
// them, and as traced ones do that see others.
type views struct {
	known  map[uint64]bool // by number of the mount namespace
	list   []*procfs.View
	absent map[event.FileID]bool // files that were not found
}

func newViews() *views {
	v := &views{known: make(map[uint64]bool), absent: make(map[event.FileID]bool)}
	if own, err := procfs.OwnView(); err == nil { // else no file is found by its name
		v.list = append(v.list, own)
	}
	if ns, err := procfs.SelfNamespace("mnt"); err == nil {
		v.known[ns] = true
	}
	return v
}

// add opens the view of a process unless there is one like it.
func (v *views) add(p *procfs.Process) {
	ns, err := p.Namespace("mnt")
	if err != nil || v.known[ns] || len(v.list) >= maxViews {
		return
	}
	view, err := p.View()
	if err != nil {
		return // it has ended
	}
	v.known[ns] = true
	v.list = append(v.list, view)
	clear(v.absent)
}

// open opens a file of code in the first view that has it; nil if none has.
func (v *views) open(file event.FileID, name string) *os.File {
	if v.absent[file] {
		return nil
	}
	for _, view := range v.list {
		if f, err := view.Open(file, name); err == nil {
			return f
		}
	}
	if len(v.absent) >= maxAbsent {
		clear(v.absent)
	}
	v.absent[file] = true
	return nil
}

func (v *views) close() {
	for _, view := range v.list {
		_ = view.Close()
	}
}
