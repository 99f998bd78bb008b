package track_test

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

const (
	pids = 3
	fds  = 4
)

// A descriptor is what it is in truth: of a file that somebody opened, and whether
// all that was done to it could be seen.
type descriptor struct {
	inode  uint64
	opener stack.ID
	seen   bool
}

// FuzzOpened drives a Tracker and an array of descriptors, some of which are made in
// ways that no event tells, and whose records may be lost. What is told of one must
// be true, and must be told if all was seen.
func FuzzOpened(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 1, 4, 1, 0, 2, 0, 0, 4, 0, 0})
	f.Add([]byte{0, 1, 2, 3, 1, 1, 4, 1, 1, 0, 1, 1, 4, 1, 2, 1, 2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := track.New(pageSize)
		var world [pids][fds]descriptor
		var lost, next uint64
		say := func(ev event.Event) {
			ev.Space, ev.Lost = 1, lost
			tr.Apply(&ev)
		}
		for ; len(b) >= 3; b = b[3:] {
			next++
			pid, fd, other := int(b[1])%pids, int(b[1]/pids)%fds, int(b[2])%fds
			d := &world[pid][fd]
			switch b[0] % 5 {
			case 0: // opened: a file of its own, or that of another descriptor
				*d = descriptor{next, stack.ID(next), true}
				if b[2] > 127 && world[pid][other].inode != 0 {
					d.inode = world[pid][other].inode
				}
				say(event.Event{Kind: event.Open, PID: event.PID(pid), Ret: int64(fd), Stack: d.opener, Args: [6]uint64{1, d.inode, ^uint64(0)}})
			case 1: // duplicated
				*d = world[pid][other]
				say(event.Event{Kind: event.Dup, PID: event.PID(pid), Ret: int64(fd), Args: [6]uint64{1, d.inode, uint64(other)}})
			case 2: // received: a file that no call opened
				*d = descriptor{inode: next}
			case 3: // records are lost, of which one may be of this
				lost++
				for i := range world {
					for k := range world[i] {
						world[i][k].seen = false
					}
				}
				*d = descriptor{inode: next}
			case 4:
				ev := event.Event{Kind: event.Mmap, PID: event.PID(pid), Seq: next, Ret: int64(next * pageSize), Marks: event.File,
					Args: [6]uint64{0, pageSize, 1, event.MapShared, uint64(fd)}}
				say(ev)
				e, _ := tr.Spaces()[1].Live.Find(uint64(ev.Ret))
				check(t, d, tr.Opener(e.Value.Mapping))
			}
		}
		if sp := tr.Spaces()[1]; sp != nil {
			for i := range world {
				for k := range world[i] {
					check(t, &world[i][k], sp.Opened(event.PID(i), uint32(k)))
				}
			}
		}
	})
}

func check(t *testing.T, d *descriptor, o *track.Opened) {
	t.Helper()
	told := o.Of(d.inode, 1)
	switch {
	case told && o.Stack != d.opener:
		t.Fatalf("told opener %d of %+v", o.Stack, *d)
	case !told && d.seen:
		t.Fatalf("no opener told of %+v", *d)
	}
}
