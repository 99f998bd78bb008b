package session

import (
	"os"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// told is the code of one space as the events tell it: what was there at its
// beginning, less what was unmapped, with what was mapped since. It serves where the
// kernel's map cannot be read any more: many a process is gone before its first event
// has arrived. What it holds was mapped; it may lack code, such as that of mprotect.
type told struct {
	code    *interval.Map[toldCode]
	lost    uint64 // records of the space, at the newest event
	changes int    // of code
}

// A toldCode is a piece of code as it was mapped. Without a file it is a region of the
// kernel's map as it was read.
type toldCode struct {
	event.Region
	file event.FileID
	name string // event.Code's
}

// tell takes in what an event says of code, in the order of arrival.
func (s *Session) tell(ev *event.Event) {
	switch ev.Kind {
	case event.Exec:
		s.space(ev.Space).told = &told{code: interval.NewMap[toldCode](), lost: ev.Lost}
		return
	case event.Fork:
		if p := s.spaces[ev.Parent]; p != nil && p.told != nil && ev.Parent != ev.Space {
			s.space(ev.Space).told = &told{code: p.told.code.Copy(), lost: ev.Lost, changes: 1}
		}
		return
	}
	sp := s.spaces[ev.Space]
	if sp == nil || sp.told == nil || !(ev.Kind.Call() || ev.Kind == event.Other || ev.Kind == event.NewCode) {
		return
	}
	if ev.Lost != sp.told.lost {
		sp.told = nil // what was lost may have been about code
		return
	}
	if ev.Kind == event.NewCode {
		c := ev.Code
		r := event.Region{Range: c.Range, Prot: event.ProtRead | event.ProtExec, Offset: c.Page * s.page, Dev: c.File.Dev, Inode: c.File.Inode}
		sp.told.code.Set(c.Range, toldCode{r, c.File, c.Name})
		sp.told.changes++
		return
	}
	for _, r := range ev.Touches(s.page) {
		sp.told.changes += len(sp.told.code.Remove(r))
	}
}

// begin makes what a reading of the map shows the beginning of what is told, if
// nothing is. Events that are older than the reading change nothing in the end.
func (sp *space) begin(regions []event.Region, lost uint64) {
	if sp.told != nil {
		return
	}
	sp.told = &told{code: interval.NewMap[toldCode](), lost: lost, changes: 1}
	for _, r := range regions {
		if r.Prot&event.ProtExec != 0 && r.Path != "[vdso]" { // its image is not a file
			sp.told.code.Set(r.Range, toldCode{Region: r})
		}
	}
}

// toldCode returns the code that was told of a space and whose files are there.
func (s *Session) toldCode(sp *space) []symbol.CodeRegion {
	var out []symbol.CodeRegion
	for e := range sp.told.code.All() {
		c := symbol.CodeRegion{Region: e.Value.Region}
		c.Offset += e.Start - c.Start
		c.Range = e.Range
		if e.Value.file != (event.FileID{}) {
			if c.Module = s.identify(&e.Value); c.Module == nil {
				continue
			}
			c.Path = c.Module.Path()
		}
		out = append(out, c)
	}
	return out
}

// identify returns the file of a piece of code, nil if it is not there.
func (s *Session) identify(c *toldCode) *symbol.Module {
	if m := s.symbols.Held(c.file); m != nil {
		return m
	}
	f := s.views.open(c.file, c.name)
	if f == nil {
		return nil
	}
	return s.symbols.Module(f.Name(), f)
}

// openTold opens the file of a region of the kernel's map as it was told, for a
// process that has ended since the map was read.
func (s *Session) openTold(sp *space, r event.Region) (*os.File, error) {
	if sp.told != nil {
		e, ok := sp.told.code.Find(r.Start)
		if ok && e.Value.Dev == r.Dev && e.Value.Inode == r.Inode {
			if f := s.views.open(e.Value.file, e.Value.name); f != nil {
				return f, nil
			}
		}
	}
	return nil, procfs.ErrNoFile
}

// recall takes the code of a space that is gone from what was told of it. The kernel
// side needs to know nothing any more.
func (s *Session) recall(sp *space) {
	if sp.told == nil || sp.told.changes == sp.recalled {
		return
	}
	sp.recalled = sp.told.changes
	sp.code.Adopt(s.toldCode(sp))
	code := sp.code.Code()
	if err := s.tables.load(code); err != nil {
		s.note("making unwind tables", err)
	}
	sp.codes, sp.installed, sp.stale = s.tables.codes(code), false, false
}
