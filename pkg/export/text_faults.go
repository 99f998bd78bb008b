package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// remnants writes what is left of mappings that munmap took back in part. What
// its owner made larger to align it, and trimmed, is summed up.
func (t *text) remnants() {
	var rs, trimmed []*report.Remnant
	for i := range t.r.Remnants {
		if m := &t.r.Remnants[i]; m.Owner.Managed {
			trimmed = append(trimmed, m)
		} else {
			rs = append(rs, m)
		}
	}
	if len(t.r.Remnants) == 0 {
		return
	}
	t.title("UNMAPPED ONLY IN PART", "What is left is part of the numbers above.")
	n := t.o.top(len(rs))
	for i, m := range rs[:n] {
		t.blank()
		t.remnant(i+1, m)
	}
	t.more(len(rs) - n)
	t.trimmed(trimmed)
}

// trimmed sums up what is no fault.
func (t *text) trimmed(ms []*report.Remnant) {
	var n uint64
	var names []string
	for _, m := range ms {
		n += m.Count
		if !slices.Contains(names, m.Owner.Name) {
			names = append(names, m.Owner.Name)
		}
	}
	if n > 0 {
		t.blank()
		t.note(dim, "The %s trimmed %s to align %s, which is no fault.", allOf(names), count(n, "reservation"), them(n))
	}
}

// allOf lists names as a sentence does, each behind "the" but for the first.
func allOf(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", the ") + " and the " + names[last]
}

// leftBytes sums what is left of mappings that were unmapped in part by mistake.
func leftBytes(rs []report.Remnant) (left uint64) {
	for i := range rs {
		if !rs[i].Owner.Managed {
			left += rs[i].Left
		}
	}
	return left
}

func (t *text) remnant(n int, m *report.Remnant) {
	e := &m.Example
	t.para(bold, fmt.Sprintf("%2d. ", n), "%s left of %s: %s still mapped",
		size(m.Left), size(m.Mapped), part(m))
	if e.End > e.Start {
		t.rangeLine("mapped", e.Start, e.End, ", "+age(e.Age))
	}
	if m.UnmapEnd > m.UnmapStart {
		t.rangeLine("unmapped", m.UnmapStart, m.UnmapEnd, "")
	}
	t.line(dim, "    mapped at")
	t.stack(6, m.MappedAt)
	t.line(dim, "    unmapped short at")
	t.stack(6, m.UnmappedAt)
}

// rangeLine shows the half-open range [start, end).
func (t *text) rangeLine(what string, start, end uint64, when string) {
	t.para(plain, "    ", "%s [%#x,%s%#x), %s%s", padTo(what, 8), start, nbsp, end,
		size(end-start), when)
}

// part says which part of the mappings of m is left.
func part(m *report.Remnant) string {
	name := printable(m.Where)
	plural := m.Count != 1
	switch {
	case name == "" || name == "parts":
		return fmt.Sprintf("parts of %s are", count(m.Count, "mapping"))
	case plural:
		return fmt.Sprintf("the %ss of %s are", name, count(m.Count, "mapping"))
	}
	return fmt.Sprintf("the %s of %s is", name, count(m.Count, "mapping"))
}

// failures writes the calls that failed.
func (t *text) failures() {
	fs := t.r.Failures
	if len(fs) == 0 {
		return
	}
	t.title("FAILED CALLS", fmt.Sprintf("%s of %s.", number(t.r.Totals.Failed), count(t.r.Totals.Calls, "call")))
	n := t.o.top(len(fs))
	for i := range fs[:n] {
		t.blank()
		t.failure(i+1, &fs[i])
	}
	t.more(len(fs) - n)
}

func (t *text) failure(n int, f *report.Failure) {
	who := ""
	if len(t.r.Targets) > 1 {
		who = ", in " + comm(f.Comm)
	}
	t.para(bold, fmt.Sprintf("%2d. ", n), "%s failed %s: %s%s",
		printable(f.Call), times(f.Count), errno(f.Errno), who)
	if f.Example != "" {
		t.wrapped(plain, "    ", 6, printable(f.Example))
	}
	if f.Why != "" {
		t.para(plain, "    ", "%s", unbroken(f.Why))
	}
	t.stack(6, f.Frames)
}

// more says how many entries of a section are not shown.
func (t *text) more(n int) {
	if n > 0 {
		t.blank()
		t.para(dim, "    ", "%s more not shown.", number(uint64(n)))
	}
}

// errnos tells what an errno of a mapping call means, after mmap(2).
var errnos = map[string]string{
	"EACCES":    "access not allowed",
	"EAGAIN":    "too much memory is locked",
	"EBADF":     "the file descriptor is not open",
	"EEXIST":    "something is mapped there already",
	"EFAULT":    "bad address",
	"EINVAL":    "invalid argument",
	"ENFILE":    "too many open files in the system",
	"ENODEV":    "the file cannot be mapped",
	"ENOMEM":    "out of memory, address space or mappings",
	"EOVERFLOW": "the numbers do not fit",
	"EPERM":     "not permitted",
	"ETXTBSY":   "the file is being executed",
}

func errno(name string) string {
	if s, ok := errnos[name]; ok {
		return name + " (" + s + ")"
	}
	return printable(name)
}

func times(n uint64) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return number(n) + nbsp + "times"
}
