package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// maxNames bounds the files and processes that are named for one path.
const maxNames = 3

// paths lists call paths in full.
func (t *text) paths() {
	if len(t.list)+t.left.all().Paths == 0 {
		return
	}
	note := ""
	if len(t.list) > 0 {
		note = "Innermost call first; -> marks the caller that asked for the memory."
	}
	t.title(t.listTitle(), note)
	for i, p := range t.list {
		t.blank()
		t.path(i+1, p)
	}
	if n := &t.left.Beyond; n.Paths > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s not shown; -T %d shows all.",
			count(uint64(n.Paths), "more path"), size(n.Bytes), len(t.list)+n.Paths)
	}
	t.leftOut(&t.left.Filtered, t.filterText())
	t.leftOut(&t.left.NotIncluded, "without a frame that --include names")
	t.leftOut(&t.left.Excluded, "with a frame that --exclude names")
}

// leftOut says how much is not listed for a reason.
func (t *text) leftOut(n *Sum, why string) {
	if n.Paths > 0 {
		t.blank()
		t.para(dim, "    ", "%s with %s left out: %s.", count(uint64(n.Paths), "path"), size(n.Bytes), why)
	}
}

func (t *text) listTitle() string {
	switch g := t.g; {
	case t.o.All:
		return "ALL CALL PATHS"
	case len(g.growing.paths) == 0:
		return "LEAKS"
	case len(g.leaks.paths) == 0:
		return "GROWTH"
	}
	return "LEAKS AND GROWTH"
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

// path writes one call path: the verdict and its reason, how much, how many and
// how old, then the frames.
func (t *text) path(n int, p *report.Path) {
	s := bold
	if p.Verdict.Kind == verdict.Leak {
		s = bad
	}
	t.para(s, fmt.Sprintf("%2d. ", n), "%s: %s, %s, %s of what is outstanding", kindWord(p), size(p.Growth()),
		rate(p.Rate), share(p.Growth(), t.r.Totals.OutstandingBytes))
	if s := t.process(p); s != "" {
		t.note(plain, "%s", s)
	}
	if p.Verdict.Why != "" {
		t.note(plain, "%s", reason(p))
	}
	levels := p.Levels
	if p.Verdict.Of == verdict.Committed {
		levels = p.Open
	}
	if s := spark(levels); s != "" {
		t.note(plain, "%s  up to %s", s, size(slices.Max(levels)))
	}
	t.note(plain, "%s%s", mappings(p), inMemory(&p.Resident, p.Bytes, &p.Commit))
	t.commitment(p)
	if s := kindText(p); s != "" {
		t.note(plain, "%s", s)
	}
	if o := &p.Owner; o.Name != "" {
		t.note(plain, "owner: %s. %s %s", o.Name, o.What, o.Advice)
	}
	if p.Uncertain > 0 {
		t.note(alert, "The path of %s is uncertain: lost events may have replaced %s.",
			count(p.Uncertain, "mapping"), them(p.Uncertain))
	}
	t.stack(6, p.Frames)
}

func (t *text) note(s style, format string, args ...any) { t.para(s, "    ", format, args...) }

// kindWord is the verdict on p in a word.
func kindWord(p *report.Path) string {
	if p.Verdict.Kind == "" {
		return "not judged"
	}
	switch of := p.Verdict.Of; {
	case of == verdict.Memory:
		return string(p.Verdict.Kind)
	case p.Verdict.Kind == verdict.Growing:
		return "growing " + string(of)
	default:
		return fmt.Sprintf("%s of %s", p.Verdict.Kind, of)
	}
}

// mappings says how many mappings of p are left, how they were made and how old
// they are.
func mappings(p *report.Path) string {
	what := count(p.Count, "mapping")
	if p.Call != "" && p.Call != "mmap" {
		what += " by " + printable(p.Call)
	}
	if p.Count == 1 || p.Oldest == p.Newest {
		return fmt.Sprintf("%s, %s old", what, span(p.Oldest))
	}
	return fmt.Sprintf("%s, %s to %s old", what, span(p.Newest), span(p.Oldest))
}

// inMemory says how much of so many bytes is in memory and in swap, if it is known.
func inMemory(r *report.Residence, bytes uint64, c *report.Commitment) string {
	if r.Scanned == 0 {
		return ""
	}
	s := fmt.Sprintf("; %s in memory", size(r.Present)) + lazy(c)
	if r.Swapped > 0 {
		s += fmt.Sprintf(", %s in swap", size(r.Swapped))
	}
	if r.Scanned < bytes {
		s += fmt.Sprintf(", %s not looked at", size(bytes-r.Scanned))
	}
	return s
}

// process says which process the path is of, where that is not plain.
func (t *text) process(p *report.Path) string {
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
