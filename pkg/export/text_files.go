package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// files lists the files of outstanding mappings, and those that a descriptor keeps,
// except what is as it should be: libraries, and files that are mapped since before
// the window.
func (t *text) files() {
	var fs []*report.File
	for i := range t.r.Files {
		if f := &t.r.Files[i]; worthTelling(f) {
			fs = append(fs, f)
		}
	}
	if len(fs) == 0 {
		return
	}
	t.title("FILES", "What outstanding mappings are of, and what descriptors keep, at the end of the window.")
	list := alikes(fs)
	n := t.o.top(len(list))
	for i, a := range list[:n] {
		t.blank()
		t.file(i+1, a)
	}
	t.more(len(list) - n)
}

func worthTelling(f *report.File) bool {
	switch {
	case f.Descriptors >= report.ManyDescriptors:
		return true
	case f.Count == 0:
		return f.Deleted && f.Other == 0
	}
	return f.Deleted || f.Owner != "library mapping"
}

func (t *text) file(n int, a *alike) {
	f := &a.File
	who := ""
	if len(t.r.Targets) > 1 {
		who = fmt.Sprintf(", in %s (pid%s%d)", comm(f.Comm), nbsp, f.PID)
	}
	t.para(bold, fmt.Sprintf("%2d. ", n), "%s: %s%s", a.name(), fileMapped(f), who)
	if s := a.kept(); s != "" {
		t.note(plain, "%s", s)
	}
	if s := a.open(); s != "" {
		t.note(plain, "%s", s)
	}
	if len(f.Frames) > 0 {
		t.note(plain, "mapped by %s", place(&report.Path{Frames: f.Frames}))
	}
	t.openedBy(f)
}

func fileName(f *report.File) string {
	switch {
	case f.Kind == report.MemFile:
		return `memfd "` + printable(f.Path) + `"`
	case f.Kind == report.SysVFile:
		return fmt.Sprintf("System V segment %d", f.ID)
	case f.Deleted:
		return printable(f.Path) + " (deleted)"
	}
	return printable(f.Path)
}

// fileMapped says how much of a file is mapped.
func fileMapped(f *report.File) string {
	s := "not mapped"
	if f.Count > 0 {
		s = size(f.Bytes) + " in " + count(f.Count, "mapping")
	}
	switch {
	case f.Other > 0 && f.Count > 0:
		s += fmt.Sprintf(", and %s from before", size(f.Other))
	case f.Other > 0:
		s = size(f.Other) + " mapped from before"
	}
	return s
}

// maxLeft bounds the pieces of shared memory that are listed as left behind.
const maxLeft = 10

// leftBehind lists shared memory that was made in the window and that nobody uses.
func (t *text) leftBehind() {
	if len(t.r.Left) == 0 {
		return
	}
	t.title("LEFT BEHIND", "Shared memory that was made in this window and that nobody seems to use at its end. What the "+
		"program still means to use is no fault.")
	n := min(len(t.r.Left), maxLeft)
	for i := range t.r.Left[:n] {
		l := &t.r.Left[i]
		t.blank()
		t.para(bold, fmt.Sprintf("%2d. ", i+1), "%s: %s", leftName(l), size(l.Bytes))
		if l.Kind == shm.SysV {
			t.note(plain, "made by %s (pid%s%d), attached by nobody", comm(l.Comm), nbsp, l.PID)
			if len(l.Frames) > 0 {
				t.note(plain, "made at %s", place(&report.Path{Frames: l.Frames}))
			}
		} else {
			t.note(plain, "made by this process or another one of its user, mapped and open nowhere")
		}
		t.line(plain, "    -> "+removal(l))
	}
	if rest := t.r.Left[n:]; len(rest) > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s not shown; %s lists all.", count(uint64(len(rest)), "more piece"), size(leftBytesOf(rest)),
			onePiece("sudo mmtrace shm"))
	}
}

func leftName(l *report.Left) string {
	if l.Kind == shm.SysV {
		return fmt.Sprintf("System V segment %d", l.ID)
	}
	return printable(l.Path)
}

// onePiece keeps a command on one line.
func onePiece(command string) string { return strings.ReplaceAll(command, " ", nbsp) }

// removal is the command that removes l.
func removal(l *report.Left) string {
	it := shm.Item{Kind: l.Kind, File: &shm.File{Kind: l.Kind, Path: l.Path, Inode: l.Inode}}
	if l.Kind == shm.SysV {
		it = shm.Item{Kind: l.Kind, Segment: &shm.Attachable{Segment: shm.Segment{ID: l.ID}}}
	}
	return nextShm(&it)
}

func leftBytesOf(ls []report.Left) (sum uint64) {
	for i := range ls {
		sum += ls[i].Bytes
	}
	return sum
}

// leftByTargets is what a target is known to have made. An object in /dev/shm may be
// of any process of the same user: it is listed, but is no answer.
func (t *text) leftByTargets() []report.Left {
	var own []report.Left
	for _, l := range t.r.Left {
		if l.Kind == shm.SysV {
			own = append(own, l)
		}
	}
	return own
}

// besides adds to the headline what was left behind, unless there is a leak to tell.
func (t *text) besides() string {
	own := t.leftByTargets()
	if len(own) == 0 || len(t.g.leaks.paths) > 0 {
		return ""
	}
	return fmt.Sprintf("; %s of shared memory was left behind", size(leftBytesOf(own)))
}

// leftFact says in the answer what was left behind.
func (t *text) leftFact() {
	if own := t.leftByTargets(); len(own) > 0 {
		t.fact(alert, "left", "%s that %s made in this window and that nobody seems to use: %s; see LEFT BEHIND.",
			count(uint64(len(own)), "System V segment"), were(uint64(len(own))), size(leftBytesOf(own)))
	}
}

// leftStep says what to do about what was left behind.
func (t *text) leftStep() string {
	l := &t.leftByTargets()[0]
	if root := t.root(); root != nil && strings.HasPrefix(root.Ended, "killed") {
		return "It was killed before it could remove what is left: " + onePiece(removal(l))
	}
	owed := "is missing"
	if i := blame(l.Frames); i < len(l.Frames) {
		owed = shortLabel(&l.Frames[i]) + " or its callers owe"
	}
	return fmt.Sprintf("Look for the shmctl with IPC_RMID that %s, and remove what is left: %s", owed, onePiece(removal(l)))
}
