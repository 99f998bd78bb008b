package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxNames bounds the files and processes that are named for one path.
const maxNames = 3

// processes lists the targets if there are several: first those that were asked
// for, then their children that live, the largest first. Of children that have
// ended it says how many there were.
func (t *text) processes() {
	if len(t.r.Targets) < 2 {
		return
	}
	t.title("PROCESSES", "")
	row := func(s style, name, pid, now, change, mappings string) {
		t.line(s, "  "+padTo(name, 16)+rightTo(pid, 8)+rightTo(now, 13)+rightTo(change, 13)+rightTo(mappings, 10))
	}
	shown, gone := t.family()
	row(dim, "name", "pid", "mapped now", "change", "mappings")
	for _, g := range shown[:min(len(shown), maxListed)] {
		row(plain, comm(g.Comm), fmt.Sprint(g.PID), size(g.Bytes),
			signedSize(int64(g.Bytes-g.BytesBefore)), number(g.Mappings))
		var notes []string
		if g.Parent != 0 {
			notes = append(notes, fmt.Sprintf("child of %d", g.Parent))
		}
		if g.Ended != "" {
			notes = append(notes, end(g.Ended))
		}
		if len(notes) > 0 {
			t.para(dim, "    ", "%s", strings.Join(notes, ", "))
		}
	}
	if n := len(shown) - maxListed; n > 0 {
		var bytes uint64
		for _, g := range shown[maxListed:] {
			bytes += g.Bytes
		}
		t.para(dim, "  ", "and %d more with %s mapped now", n, size(bytes))
	}
	if len(gone) > 0 {
		t.para(dim, "  ", "and %s ended in the window: %s%s", childrenThat(len(gone)), byName(gone), killed(gone))
	}
}

// maxListed bounds the processes that are listed.
const maxListed = 10

// family divides the targets into those to list and the children that have ended.
func (t *text) family() (shown, gone []*report.Target) {
	for i := range t.r.Targets {
		g := &t.r.Targets[i]
		if g.Parent != 0 && ended(g) {
			gone = append(gone, g)
		} else {
			shown = append(shown, g)
		}
	}
	slices.SortStableFunc(shown, func(a, b *report.Target) int {
		if (a.Parent == 0) != (b.Parent == 0) {
			return cmp.Compare(min(a.Parent, 1), min(b.Parent, 1))
		}
		if a.Parent == 0 {
			return 0
		}
		return cmp.Compare(b.Bytes, a.Bytes)
	})
	return shown, gone
}

func childrenThat(n int) string {
	if n == 1 {
		return "1" + nbsp + "child that"
	}
	return number(uint64(n)) + nbsp + "children that"
}

// killed says how many processes a signal ended.
func killed(gs []*report.Target) string {
	n := 0
	for _, g := range gs {
		if strings.HasPrefix(g.Ended, "killed") {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d killed by a signal", n)
}

// byName counts processes by name, the most frequent first.
func byName(gs []*report.Target) string {
	counts := make(map[string]int)
	for _, g := range gs {
		counts[comm(g.Comm)]++
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for i, name := range names {
		if n := counts[name]; n > 1 {
			names[i] = number(uint64(n)) + nbsp + name
		}
	}
	return some(names)
}

// paths writes the call paths.
func (t *text) paths() {
	note := ""
	if len(t.r.Paths) > 0 {
		note = "Innermost call first; -> marks the caller that asked for the memory."
	}
	t.title("OUTSTANDING BY CALL PATH", note)
	for i := range t.r.Paths {
		t.blank()
		t.path(i+1, &t.r.Paths[i])
	}
	if n := &t.left.Beyond; n.Paths > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s not shown; -T %d shows all.",
			count(uint64(n.Paths), "more path"), size(n.Bytes), len(t.r.Paths)+n.Paths)
	}
	if n := &t.left.Filtered; n.Paths > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s left out: %s.",
			count(uint64(n.Paths), "path"), size(n.Bytes), t.filterText())
	}
}

// filterText says what a path has to be like to be shown.
func (t *text) filterText() string {
	var is []string
	if t.o.MinSize > 0 {
		is = append(is, fmt.Sprintf("smaller than %s (-z 0 shows all)", size(t.o.MinSize)))
	}
	if t.o.MaxSize > 0 {
		is = append(is, fmt.Sprintf("larger than %s (without -Z all are shown)", size(t.o.MaxSize)))
	}
	if t.o.Older > 0 {
		is = append(is, fmt.Sprintf("without a mapping older than %s (--older 0 shows all)", span(t.o.Older)))
	}
	return strings.Join(is, ", or ")
}

// path writes one call path: how much, how many and how old, then the frames.
func (t *text) path(n int, p *report.Path) {
	first := fmt.Sprintf("%2d. ", n)
	t.para(bold, first, "%s outstanding, %s of the total, %s", size(p.Bytes),
		share(p.Bytes, t.r.Totals.OutstandingBytes), rate(p.Rate))
	if s := t.owner(p); s != "" {
		t.para(plain, "    ", "%s", s)
	}
	t.para(plain, "    ", "%s", t.evidence(p))
	if s := kindText(p); s != "" {
		t.para(plain, "    ", "%s", s)
	}
	if p.Uncertain > 0 {
		t.para(alert, "    ", "The path of %s is uncertain: lost events may have replaced %s.",
			count(p.Uncertain, "mapping"), them(p.Uncertain))
	}
	t.stack(6, p.Frames)
}

// evidence says how many of the path's mappings stayed, and their ages.
func (t *text) evidence(p *report.Path) string {
	what := fmt.Sprintf("%s %s still mapped", count(p.Count, "mapping"), are(p.Count))
	if p.MappedCount >= p.Count && p.MappedCount > 0 {
		what = fmt.Sprintf("%s of %s made here %s still mapped",
			number(p.Count), count(p.MappedCount, "mapping"), are(p.Count))
	}
	if p.Call != "" && p.Call != "mmap" {
		what += " (by " + printable(p.Call) + ")"
	}
	if p.Count == 1 || p.Oldest == p.Newest {
		return fmt.Sprintf("%s, %s old", what, span(p.Oldest))
	}
	return fmt.Sprintf("%s; oldest %s, newest %s", what, span(p.Oldest), span(p.Newest))
}

// owner says whose path it is, where that is not plain.
func (t *text) owner(p *report.Path) string {
	if len(t.r.Targets) == 0 && p.Comm == "" || len(t.r.Targets) == 1 && (p.Comm == "" || p.Comm == t.r.Targets[0].Comm) {
		return ""
	}
	var pids []string
	for i := range p.Mappings {
		s := fmt.Sprint(p.Mappings[i].PID)
		if !slices.Contains(pids, s) {
			pids = append(pids, s)
		}
	}
	if len(pids) == 0 {
		return "in " + comm(p.Comm)
	}
	return fmt.Sprintf("in %s (pid%s%s)", comm(p.Comm), nbsp, some(pids))
}

// kindText says what is mapped, unless it is private anonymous memory.
func kindText(p *report.Path) string {
	var parts []string
	if p.File > 0 {
		var files []string
		for i := range p.Mappings {
			if f := p.Mappings[i].File; f != "" && !slices.Contains(files, printable(f)) {
				files = append(files, printable(f))
			}
		}
		s := size(p.File) + " of files"
		if len(files) > 0 {
			s += ": " + some(files)
		}
		parts = append(parts, s)
	}
	if p.Shared > 0 {
		parts = append(parts, size(p.Shared)+" shared")
	}
	if len(parts) > 0 && p.Anon > 0 {
		parts = append(parts, size(p.Anon)+" anonymous")
	}
	slices.Reverse(parts)
	return strings.Join(parts, ", ")
}

// some lists the first names and says how many more there are.
func some(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

func them(n uint64) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// age is used where a mapping is dated: "12.1 s ago".
func age(t event.Time) string { return span(t) + " ago" }
