package track

import (
	"cmp"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Bounds on the descriptors that are remembered of one address space. What is
// forgotten is told of nothing.
const (
	maxOpened       = 1 << 18 // descriptors of one process
	maxOpenedTables = 16      // processes: children of vfork have tables of their own
)

// An Opened is the newest call that was seen to make a descriptor, and the file
// that it was of then: Dev is major<<32 | minor. Stack is of the call that opened
// the file, none for what came another way.
type Opened struct {
	Stack      stack.ID
	Dev, Inode uint64
	lost       uint64 // records of the space lost until then
}

// Of reports whether o is of the file with one of the device numbers and the inode
// number: descriptors are also closed, and made in ways that are not seen.
func (o *Opened) Of(inode uint64, devs ...uint64) bool {
	return o != nil && inode != 0 && o.Inode == inode && o.Dev != 0 && slices.Contains(devs, o.Dev)
}

// opened notes a descriptor. Calls of one process must come in their order.
func (t *Tracker) opened(sp *Space, ev *event.Event) {
	fd := int32(ev.Ret)
	if fd < 0 {
		return
	}
	o := &Opened{Stack: ev.Stack, Dev: ev.Args[0], Inode: ev.Args[1], lost: ev.Lost}
	if ev.Kind == event.Dup {
		o.Stack = stack.None
		if from := sp.openedAs(ev.PID, int32(ev.Args[2]), ev.Lost); from.Of(o.Inode, o.Dev) {
			o.Stack = from.Stack
		}
	}
	table := sp.tableOf(ev.PID)
	if o.Stack == stack.None {
		delete(table, fd)
		return
	}
	if len(table) >= maxOpened {
		clear(table)
	}
	table[fd] = o
}

// tableOf returns the descriptors of a process, those of the process with the
// fewest forgotten if there are too many processes.
func (sp *Space) tableOf(pid event.PID) map[int32]*Opened {
	table := sp.tables[pid]
	if table != nil {
		return table
	}
	if sp.tables == nil {
		sp.tables = make(map[event.PID]map[int32]*Opened)
	}
	if len(sp.tables) >= maxOpenedTables {
		pids := make([]event.PID, 0, len(sp.tables))
		for p := range sp.tables {
			pids = append(pids, p)
		}
		delete(sp.tables, slices.MinFunc(pids, func(x, y event.PID) int {
			return cmp.Or(len(sp.tables[x])-len(sp.tables[y]), cmp.Compare(x, y))
		}))
	}
	table = make(map[int32]*Opened)
	sp.tables[pid] = table
	return table
}

// openedAs returns what is known of a descriptor if no record of the space has been
// lost since, else nil.
func (sp *Space) openedAs(pid event.PID, fd int32, lost uint64) *Opened {
	if o := sp.tables[pid][fd]; o != nil && o.lost == lost {
		return o
	}
	return nil
}

// Opener returns who opened the descriptor that was mapped as m, nil if that is not
// known or m is a second mapping of the same pages by mremap. Whether it is of the
// mapped file is for the caller to check.
func (t *Tracker) Opener(m *Mapping) *Opened { return t.openers[m] }

// Opened returns the newest call that was seen to make a descriptor of a process
// that uses sp, nil if none was or calls may have gone unseen since. The process is
// known by its number in the initial namespace: under another nothing is told.
func (sp *Space) Opened(pid event.PID, fd uint32) *Opened {
	return sp.openedAs(pid, int32(fd), sp.lost)
}
