package export

import (
	"fmt"
	"io"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// TextOptions are the options of Text. The zero value is right for a file or a
// pipe.
type TextOptions struct {
	Filter
	// Width is the terminal's width in columns; 0 means DefaultWidth.
	Width int
	// Color allows ANSI colours.
	Color bool
	// FullNames writes modules and source files with their whole paths.
	FullNames bool
	// NoNext leaves out the commands to go on with.
	NoNext bool
	// All lists every call path in full, not only those that leak or grow.
	All bool
}

// shortWindow is a window in which "not unmapped yet" says little.
const shortWindow = 5 * event.Time(1e9)

// A text is a text report being written.
type text struct {
	*page
	r    *report.Report // as selected
	g    *groups        // of all paths, selected or not
	list []*report.Path // to show in full
	left LeftOut        // of those that would be shown in full
	out  LeftOut        // of all
	o    *TextOptions
}

// Text writes r for people: first the answer, whether and where it leaks, how
// sure that is and what to do next, whatever o.Filter chooses; then the call paths
// that leak or grow, a line on each other verdict, what munmap left behind, failed
// calls, how the sizes went, totals, caveats and commands to go on with. Lines are
// at most o.Width columns long; one is longer only if a single word is, since names
// are never cut. Names from the traced process are shown printable; the text is
// UTF-8. The error wraps ErrOption if o.Sort is unknown, else it is w's.
func Text(w io.Writer, r *report.Report, o TextOptions) error {
	sel, out, err := Select(r, o.Filter.all())
	if err != nil {
		return err
	}
	t := &text{page: newPage(w, &o), r: sel, g: groupsOf(r), o: &o, out: out}
	t.choose(r)
	t.answer()
	t.processes()
	t.paths()
	t.others()
	t.suppressed()
	if t.g.chief() == nil {
		t.elsewhere()
	}
	t.remnants()
	t.failures()
	t.commitments()
	t.givenBack()
	t.halves()
	t.leftBehind()
	t.files()
	t.memory()
	t.totals()
	t.trust()
	t.about()
	if !o.NoNext {
		t.next()
	}
	return t.close()
}

// choose fills in what to list, the worst first, and what that leaves out.
func (t *text) choose(all *report.Report) {
	for i := range t.r.Paths {
		if p := &t.r.Paths[i]; t.listed(p) {
			t.list = append(t.list, p)
		}
	}
	slices.SortStableFunc(t.list, func(a, b *report.Path) int { return verdict.Compare(a.Verdict.Kind, b.Verdict.Kind) })
	for i := range all.Paths {
		p := &all.Paths[i]
		if sum := t.left.sum(t.o.refuses(p)); sum != nil && t.listed(p) {
			sum.add(p)
		}
	}
	n := t.o.top(len(t.list))
	for _, p := range t.list[n:] {
		t.left.Beyond.add(p)
	}
	t.list = t.list[:n]
}

// listed reports whether p is to be shown in full.
func (t *text) listed(p *report.Path) bool {
	k := p.Verdict.Kind
	return t.o.All || k == verdict.Leak || k == verdict.Growing && !p.Owner.Managed
}

// story says how long was traced, and how it ended.
func (t *text) story() string {
	w := &t.r.Window
	d := span(w.Duration)
	switch root := t.root(); {
	case t.gone() && root != nil:
		return fmt.Sprintf("it %s after %s", end(root.Ended), d)
	case w.StoppedBy == "interim":
		return fmt.Sprintf("an interim report after %s", d)
	case w.StoppedBy == "signal" && w.Planned > w.Duration:
		return fmt.Sprintf("stopped early after %s of %s", d, span(w.Planned))
	case w.StoppedBy == "signal":
		return fmt.Sprintf("stopped after %s", d)
	case w.StoppedBy == "exit":
		return fmt.Sprintf("traced to the end for %s", d)
	}
	return fmt.Sprintf("traced for %s", d)
}

// subject names the target, or says how many there are.
func (t *text) subject() string {
	roots, children := t.census()
	s := number(uint64(roots)) + nbsp + "processes"
	switch root := t.root(); {
	case len(t.r.Targets) == 0:
		return "no process"
	case root != nil:
		s = fmt.Sprintf("%s (pid%s%d)", comm(root.Comm), nbsp, root.PID)
	}
	switch children {
	case 0:
		return s
	case 1:
		return s + " with 1" + nbsp + "child"
	}
	return s + " with " + number(uint64(children)) + nbsp + "children"
}

// census counts the processes that were asked for, and their children.
func (t *text) census() (roots, children int) {
	for i := range t.r.Targets {
		if t.r.Targets[i].Parent == 0 {
			roots++
		}
	}
	return roots, len(t.r.Targets) - roots
}

// root returns the one target that was asked for, nil if there are several.
func (t *text) root() *report.Target {
	if roots, _ := t.census(); roots != 1 {
		return nil
	}
	i := slices.IndexFunc(t.r.Targets, func(g report.Target) bool { return g.Parent == 0 })
	return &t.r.Targets[i]
}

// warnings writes what a reader has to know before the numbers.
func (t *text) warnings() {
	if len(t.r.Targets) == 1 && t.r.Targets[0].Ended == "called exec" {
		t.fact(plain, "note", "It called exec, which took away all that it had mapped until then.")
	}
}

// gone reports whether all targets have ended.
func (t *text) gone() bool {
	for i := range t.r.Targets {
		if !ended(&t.r.Targets[i]) {
			return false
		}
	}
	return len(t.r.Targets) > 0
}

// pathCount is the number of all call paths with outstanding mappings.
func (t *text) pathCount() uint64 {
	n := t.g.leaks.n() + t.g.growing.n() + t.g.early.n() + t.g.cache.n() + t.g.young.n() + t.g.once.n() + t.g.suppressed.n()
	for _, h := range t.g.heaps {
		n += h.n()
	}
	return n
}

func ended(g *report.Target) bool { return g.Ended != "" && g.Ended != "called exec" }

// end makes a verb of report.Target.Ended: "exited", "was killed by SIGKILL".
func end(s string) string {
	if len(s) > 6 && s[:6] == "killed" {
		s = "was " + s
	}
	return printable(s)
}

func comm(s string) string {
	if s == "" {
		return "(no name)"
	}
	return printable(s)
}
