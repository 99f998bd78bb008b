package export

import (
	"fmt"
	"io"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// A shmText is a listing of shared memory being written.
type shmText struct {
	*page
	l *shm.Listing
	o *ShmOptions
}

// ShmText writes l for people: the answer, then what nobody seems to use and what
// only processes hold, each with the command to go on with, then what could not be
// seen. Names are shown printable; lines are as long as those of Text. The error is
// w's.
func ShmText(w io.Writer, l *shm.Listing, o ShmOptions) error {
	t := &shmText{newPage(w, &TextOptions{Width: o.Width, Color: o.Color}), l, &o}
	t.answer()
	warning := "These commands destroy what is in it: first make sure that no program will come back for it by its name or key."
	if n := l.Seen.Denied; n > 0 {
		warning += fmt.Sprintf(" %s could not be looked at and may use it.", processes(n))
	}
	t.items("NOBODY SEEMS TO USE", warning, l.Unused)
	t.items("HELD BY PROCESSES ONLY", "It has no name, or is open and not mapped. It is freed when the last of these "+
		"processes unmaps and closes it, or ends.", l.Pinned)
	t.unseen()
	return t.close()
}

// answer writes what a reader wants to know first.
func (t *shmText) answer() {
	unused, pinned := shm.Total(t.l.Unused), shm.Total(t.l.Pinned)
	s, text := bold, "no shared memory is left behind"
	switch {
	case unused.Count > 0:
		s, text = alert, fmt.Sprintf("nobody seems to use %s of shared memory, in %s", size(unused.Bytes), count(unused.Count, "piece"))
	case pinned.Count > 0:
		text = fmt.Sprintf("no shared memory is without a user, but %s %s held by processes only: %s",
			count(pinned.Count, "piece"), are(pinned.Count), sumText(pinned))
	}
	t.para(s, "", "%s", text)
	t.blank()
	t.sum("unused", t.l.Unused)
	t.sum("held", t.l.Pinned)
	t.fact("in use", "%s.", t.inUse())
	if t.l.Empty > 0 {
		t.fact("empty", "%s without memory %s not listed.", count(t.l.Empty, "more piece"), are(t.l.Empty))
	}
	t.fact("sure", "%s", t.sure())
}

func (t *shmText) fact(name, format string, args ...any) {
	t.para(plain, "  "+padTo(name, 7), format, args...)
}

// sum says what there is of each kind.
func (t *shmText) sum(name string, items []shm.Item) {
	if len(items) == 0 {
		return
	}
	var parts []string
	for _, k := range shmKinds {
		var of []shm.Item
		for _, it := range items {
			if it.Kind == k.kind {
				of = append(of, it)
			}
		}
		if n := shm.Total(of); n.Count > 0 {
			parts = append(parts, fmt.Sprintf("%s, %s", k.of(n.Count), sumText(n)))
		}
	}
	t.fact(name, "%s.", strings.Join(parts, "; "))
}

// A shmKind is a kind in words.
type shmKind struct {
	kind      shm.Kind
	one, more string
}

// shmKinds are the kinds in the order in which they are told.
var shmKinds = []shmKind{
	{shm.Posix, "object in /dev/shm", "objects in /dev/shm"}, {shm.SysV, "System V segment", "System V segments"},
	{shm.Memfd, "memfd", "memfds"}, {shm.Deleted, "deleted file", "deleted files"},
}

// sumText says how much a sum is, as far as that is known.
func sumText(n shm.Sum) string {
	switch n.Unknown {
	case 0:
		return size(n.Bytes)
	case n.Count:
		return "size unknown"
	}
	return fmt.Sprintf("%s and %s of unknown size", size(n.Bytes), number(n.Unknown))
}

// inUse sums up what is in order.
func (t *shmText) inUse() string {
	var parts []string
	for _, k := range shmKinds {
		n := t.l.InUse[k.kind]
		if n.Count == 0 {
			continue
		}
		s := fmt.Sprintf("%s, %s", k.of(n.Count), sumText(n))
		if k.kind == shm.SysV {
			s += ", " + count(n.Attached, "attachment")
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// sure says how far the answer can be trusted.
func (t *shmText) sure() string {
	s := &t.l.Seen
	if !s.All() || len(s.Errors) > 0 {
		return fmt.Sprintf("not quite: %s %s looked at; see WHAT WAS NOT SEEN.", processes(s.Processes), were(s.Processes))
	}
	return fmt.Sprintf("yes: %s %s looked at, which is all.", processes(s.Processes), were(s.Processes))
}

// items lists what is of one sort.
func (t *shmText) items(title, note string, items []shm.Item) {
	if len(items) == 0 {
		return
	}
	t.title(title, note)
	top := Filter{Top: t.o.Top}
	n := top.top(len(items))
	for i := range items[:n] {
		t.blank()
		t.item(i+1, &items[i])
	}
	if rest := items[n:]; len(rest) > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s not shown; -T 0 shows all.", count(uint64(len(rest)), "more piece"), size(shm.Total(rest).Bytes))
	}
}

func (t *shmText) item(n int, it *shm.Item) {
	t.para(bold, fmt.Sprintf("%2d. ", n), "%s: %s", titleShm(it), t.amount(it))
	if s := holdersShm(it); s != "" {
		t.para(plain, "    ", "%s", s)
	}
	t.para(plain, "    ", "%s", t.origin(it))
	t.line(plain, "    -> "+nextShm(it))
}

// amount says how much an item takes, and of how much.
func (t *shmText) amount(it *shm.Item) string {
	if it.File != nil && it.File.Unknown {
		return "size unknown"
	}
	s := size(it.Bytes())
	if it.Segment != nil && it.Segment.Swapped > 0 {
		s += fmt.Sprintf(" (%s of it in swap)", size(it.Segment.Swapped))
	}
	if it.Size() > it.Bytes() { // it is rounded up to pages
		s += fmt.Sprintf(" of %s", size(it.Size()))
	}
	return s
}

// muchLater is how many seconds behind the making of a file a change is worth telling.
const muchLater = 60

// origin says whose an item is, who made it and when.
func (t *shmText) origin(it *shm.Item) string {
	owner := printable(it.Owner)
	if owner == "" {
		owner = fmt.Sprintf("uid%s%d", nbsp, it.UID())
	}
	parts := []string{"owner " + owner, fmt.Sprintf("mode %o", it.Mode())}
	if it.Segment != nil {
		parts = append(parts, t.segmentOrigin(it.Segment)...)
	} else {
		if it.File.Created > 0 {
			parts = append(parts, "made "+t.ago(it.File.Created))
		}
		if it.File.Changed >= it.File.Created+muchLater {
			parts = append(parts, "written or resized "+t.ago(it.File.Changed))
		}
	}
	return strings.Join(parts, ", ")
}

func (t *shmText) segmentOrigin(s *shm.Attachable) []string {
	parts := []string{"made " + t.ago(s.ChangedAt) + " by " + makerShm(&s.Maker)}
	if s.Removed {
		parts = append(parts, "marked for removal")
	}
	if s.DetachedAt > 0 && s.Attached == 0 {
		parts = append(parts, "last detached "+t.ago(s.DetachedAt))
	}
	if s.AttachedAt == 0 {
		parts = append(parts, "never attached")
	}
	return parts
}

// makerShm names the process that made something.
func makerShm(p *shm.Process) string {
	switch {
	case !p.Known:
		return "a process of another pid namespace"
	case p.Alive:
		return fmt.Sprintf("%s (pid%s%d), which still runs", comm(p.Comm), nbsp, p.PID)
	}
	return fmt.Sprintf("pid%s%d, which has ended", nbsp, p.PID)
}

func (t *shmText) ago(unix int64) string {
	return span(event.Time(max(0, t.l.Time-unix))*1e9) + " ago"
}

// unseen says what limits the listing.
func (t *shmText) unseen() {
	points := unseenShm(&t.l.Seen)
	if len(points) == 0 {
		return
	}
	t.title("WHAT WAS NOT SEEN", "")
	for _, p := range points {
		t.para(plain, "  - ", "%s", p)
	}
}

// of counts pieces of a kind.
func (k *shmKind) of(n uint64) string {
	if n == 1 {
		return "1" + nbsp + k.one
	}
	return number(n) + nbsp + k.more
}

// unseenShm returns sentences on what limits a listing.
func unseenShm(s *shm.Seen) []string {
	var out []string
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(s.Denied > 0, "%s may not be looked at, or only in part: what nobody else uses seems unused here, and what nobody else holds is missing. "+
		"Attachments of System V segments are counted all the same.", processes(s.Denied))
	say(s.Hidden, "/proc hides the processes of other users (hidepid): what only they use seems unused here.")
	say(s.OwnPIDs, "This is a pid namespace of its own (a container?): processes outside of it may use what seems unused here.")
	say(s.OtherIPC > 0, "%s %s to another IPC namespace than this one (a container?); System V segments there are not listed.",
		processes(s.OtherIPC), verb(s.OtherIPC, "belong"))
	say(s.OtherShm > 0, "%s %s another /dev/shm than this one (a container?), which is not listed.", processes(s.OtherShm), have(s.OtherShm))
	say(s.Unfinished, "There was no time to look at everything.")
	for _, e := range s.Errors {
		say(true, "%s.", printable(e))
	}
	return out
}

func processes(n uint64) string {
	if n == 1 {
		return "1" + nbsp + "process"
	}
	return number(n) + nbsp + "processes"
}

func were(n uint64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func have(n uint64) string {
	if n == 1 {
		return "has"
	}
	return "have"
}
