package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// fewAlike are so many files that are listed one by one; more that are alike are
// summed up.
const fewAlike = 3

// An alike is a number of files that one call path maps, or that are held in one
// way. The file sums them up.
type alike struct {
	report.File
	names []string
}

// alikes sums up files that are alike. Those with many descriptors come first, then
// those that take most, then in the order of fs.
func alikes(fs []*report.File) (out []*alike) {
	groups := make(map[string][]*report.File)
	for _, f := range fs {
		k := likeness(f)
		groups[k] = append(groups[k], f)
	}
	done := make(map[string]bool)
	for _, f := range fs {
		k := likeness(f)
		switch {
		case len(groups[k]) <= fewAlike:
			out = append(out, &alike{*f, []string{fileName(f)}})
		case !done[k]:
			done[k] = true
			out = append(out, together(groups[k]))
		}
	}
	slices.SortStableFunc(out, func(x, y *alike) int {
		return cmp.Or(y.many()-x.many(), cmp.Compare(y.Bytes+y.Pinned(), x.Bytes+x.Pinned()))
	})
	return out
}

// many is 1 for one file with many descriptors, else 0.
func (a *alike) many() int {
	if len(a.names) == 1 && a.Descriptors >= report.ManyDescriptors {
		return 1
	}
	return 0
}

// likeness is equal for files that are alike. One with many descriptors is alike to
// none.
func likeness(f *report.File) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %v %d %s %v %v", f.Kind, f.Deleted, f.Removed, f.PID, f.Owner, f.Descriptors > 0, f.Known)
	if f.Descriptors >= report.ManyDescriptors {
		b.WriteString(f.Path)
	}
	b.WriteString(pathLikeness(f.Frames))
	for i := range f.Openers {
		b.WriteString("\nopened" + pathLikeness(f.Openers[i].Frames))
	}
	return b.String()
}

// pathLikeness is equal for equal call paths.
func pathLikeness(frames []stack.Frame) string {
	var b strings.Builder
	for i := range frames {
		fmt.Fprintf(&b, "\n%s %s %#x", frames[i].Function, frames[i].Module, frames[i].Offset)
	}
	return b.String()
}

func together(fs []*report.File) *alike {
	a := &alike{File: *fs[0], names: []string{fileName(fs[0])}}
	a.Openers = slices.Clone(a.Openers)
	for _, f := range fs[1:] {
		a.Bytes += f.Bytes
		a.Count += f.Count
		a.Other += f.Other
		a.Allocated += f.Allocated
		a.Descriptors += f.Descriptors
		for i := range f.Openers { // of the same paths, see likeness
			a.Openers[i].Descriptors += f.Openers[i].Descriptors
			a.Openers[i].Mappings += f.Openers[i].Mappings
		}
		a.names = append(a.names, fileName(f))
	}
	return a
}

// name names the files.
func (a *alike) name() string {
	if n := len(a.names); n > 1 {
		return fmt.Sprintf("%s: %s and more", count(uint64(n), "file"), strings.Join(a.names[:maxNames], ", "))
	}
	return a.names[0]
}

// one chooses between the words for one file and for several.
func (a *alike) one(one, several string) string {
	if len(a.names) > 1 {
		return several
	}
	return one
}

// kept says what space the files take and what would free it.
func (a *alike) kept() string {
	f := &a.File
	switch {
	case f.Kind == report.SysVFile && f.Removed:
		return a.one("It is marked for removal, which comes with its last detachment.",
			"They are marked for removal, which comes with the last detachment of each.")
	case f.Kind == report.SysVFile:
		return a.one("It lives on without attachments until it is removed (shmctl with IPC_RMID).",
			"They live on without attachments until they are removed (shmctl with IPC_RMID).")
	}
	its, is := a.one("Its", "Their"), "is"
	if f.Known {
		its, is = size(f.Allocated)+" of", "are"
	}
	until := fmt.Sprintf("until %s unmapped and closed everywhere", a.one("it is", "they are"))
	switch {
	case f.Kind == report.ShmFile && !f.Deleted:
		return fmt.Sprintf("%s memory %s in use %s, and unlinked.", its, is, until)
	case f.InMemory() && (f.Deleted || f.Kind == report.MemFile):
		return fmt.Sprintf("%s memory %s in use %s.", its, is, until)
	case f.Deleted:
		return fmt.Sprintf("%s disk space %s in use %s.", its, is, until)
	}
	return ""
}

// open says which descriptors of the files are open.
func (a *alike) open() string {
	f := &a.File
	switch {
	case f.Kind == report.SysVFile:
		return ""
	case f.Descriptors == 0 && f.Unread:
		return fmt.Sprintf("Whether %s open is not known.", a.one("it is", "they are"))
	case f.Descriptors == 0:
		return fmt.Sprintf("No descriptor of %s is open here.", a.one("it", "them"))
	case f.Descriptors == 1 && len(f.FDs) == 1:
		return fmt.Sprintf("It is open as descriptor%s%d.", nbsp, f.FDs[0])
	}
	var fds []string
	for _, fd := range f.FDs {
		fds = append(fds, fmt.Sprint(fd))
	}
	list := ""
	if len(fds) > 0 { // else the recording is damaged
		list = " (" + strings.Join(fds, ", ")
		if f.Descriptors > uint64(len(fds)) {
			list += " and more"
		}
		list += ")"
	}
	least := ""
	if f.Unread {
		least = "at least "
	}
	s := fmt.Sprintf("%s open as %s%s%s", a.one("It is", "They are"), least, count(f.Descriptors, "descriptor"), list)
	if f.Descriptors >= report.ManyDescriptors && len(a.names) == 1 {
		return s + ": it seems to be opened again and again and not closed."
	}
	return s + "."
}
