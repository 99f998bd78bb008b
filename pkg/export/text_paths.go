package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxNames bounds the files and processes that are named for one path.
const maxNames = 3

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
	if shared := p.File == 0 && p.Shared == p.Anon; len(parts) > 0 && p.Anon > 0 && !shared {
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
