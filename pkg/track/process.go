package track

import (
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// enter notes a process that comes under trace. One that had its ID before and has
// ended is another; so is one in another space, whose end was not seen.
func (t *Tracker) enter(pid, parent event.PID, id event.SpaceID, comm string) {
	if p := t.processes[pid]; p != nil && (p.Ended || p.Space != id) {
		p.Ended = true
		t.former = append(t.former, p)
		delete(t.processes, pid)
	}
	t.join(pid, parent, id, comm)
}

// join lets a process use a space, and leave the one it used.
func (t *Tracker) join(pid, parent event.PID, id event.SpaceID, comm string) *Process {
	p := t.processes[pid]
	if p == nil {
		p = &Process{PID: pid, Parent: parent}
		t.processes[pid] = p
	} else if old := t.spaces[p.Space]; old != nil && p.Space != id {
		old.Processes = slices.DeleteFunc(old.Processes, func(q event.PID) bool { return q == pid })
		if old.Left = len(old.Processes) == 0; old.Left {
			old.Gone, old.tables = t.now, nil
		}
	}
	sp := t.space(id)
	if !slices.Contains(sp.Processes, pid) {
		sp.Processes = append(sp.Processes, pid)
	}
	p.Space, p.Comm, p.Ended = id, comm, false
	return p
}

// fork makes a child's space as a copy of its parent's, or lets the child share it.
func (t *Tracker) fork(sp *Space, ev *event.Event) {
	t.enter(ev.PID, event.PID(ev.Ret), ev.Space, ev.Name)
	parent := t.spaces[ev.Parent]
	if parent == nil || parent == sp || sp.known || sp.Live.Len() > 0 {
		return
	}
	copies := make(map[*Mapping]*Mapping)
	for e := range parent.Live.All() {
		m := e.Value.Mapping
		c := copies[m]
		if c == nil {
			c = inherit(m, sp.ID)
			copies[m] = c
			if by := t.openers[m]; by != nil {
				t.openers[c] = by
			}
		}
		sp.Live.Set(e.Range, Piece{c, e.Value.Base, e.Value.Closed})
	}
	if parent.known { // but for what the parent kept from its children
		sp.known, sp.fresh, sp.Before = true, true, sp.Live.Bytes()
		sp.inherit(parent, t.page)
	}
}

// inherit returns m as a child has it.
func inherit(m *Mapping, id event.SpaceID) *Mapping {
	c := *m
	c.Space, c.From, c.account = id, m, nil
	if c.Origin == Observed {
		c.Origin = Inherited
	}
	return &c
}

// exec moves a process to a new space.
func (t *Tracker) exec(sp *Space, ev *event.Event) {
	var parent event.PID
	if p := t.processes[ev.PID]; p != nil {
		parent = p.Parent
	}
	t.join(ev.PID, parent, sp.ID, ev.Name)
}

// exit notes the end of a process.
func (t *Tracker) exit(ev *event.Event) {
	if p := t.processes[ev.PID]; p != nil {
		p.Ended, p.Status = true, ev.Ret
	}
}

// end notes the end of a space; its live map stays as it was then. The kernel's
// page count is the last thing to compare with. If it is the only one, it may well
// differ, since what the kernel mapped by itself was not seen.
func (t *Tracker) end(sp *Space, ev *event.Event) {
	sp.Ended, sp.Gone, sp.tables = true, t.now, nil
	if !sp.known || sp.broken || ev.TotalVM == 0 {
		return
	}
	sp.CountedOut = int64(ev.TotalVM) == t.pages(sp)
	if !sp.counted {
		return
	}
	t.stats.Checks++
	if !sp.CountedOut && !sp.fresh && !sp.grown && sp.wants < Doubt {
		t.stats.Mismatches++
	}
}

// late takes a change whose place had been given up. Its order is lost, so it
// only explains what the kernel's map has shown since.
func (t *Tracker) late(sp *Space, ev *event.Event) {
	t.stats.Late++
	if ev.Kind.Call() {
		t.calls[ev.Kind]++
	}
	r := ev.Mapped(t.page)
	var found []interval.Range
	for e := range sp.Live.Over(r) {
		if e.Value.Origin == Found {
			found = append(found, e.Intersect(r))
		}
	}
	for _, part := range found {
		t.add(sp, t.born(ev, part), part)
	}
}
