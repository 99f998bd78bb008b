package export

import (
	"fmt"
	"io"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
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
}

// shortWindow is a window in which "not unmapped yet" says little.
const shortWindow = 5 * event.Time(1e9)

// A text is a text report being written.
type text struct {
	*page
	r    *report.Report // as selected
	left LeftOut
	o    *TextOptions
}

// Text writes r for people: what was traced and how sure the numbers are, the
// call paths with outstanding mappings, what munmap left behind, failed calls,
// totals, caveats and commands to go on with. Lines are at most o.Width columns
// long; one is longer only if a single word is, since names are never cut. Names
// from the traced process are shown printable. The error wraps ErrOption if
// o.Sort is unknown, else it is w's.
func Text(w io.Writer, r *report.Report, o TextOptions) error {
	sel, left, err := Select(r, o.Filter)
	if err != nil {
		return err
	}
	t := &text{newPage(w, &o), sel, left, &o}
	t.headline()
	t.processes()
	if r.Totals.OutstandingBytes == 0 && len(r.Paths) == 0 {
		t.elsewhere()
	} else {
		t.paths()
	}
	t.remnants()
	t.failures()
	t.totals()
	t.trust()
	t.about()
	if !o.NoNext {
		t.next()
	}
	return t.close()
}

// headline writes the answer and how far it can be trusted.
func (t *text) headline() {
	q, n := &t.r.Quality, &t.r.Totals
	amount := "nothing outstanding"
	if n.OutstandingBytes > 0 {
		amount = size(n.OutstandingBytes) + " outstanding"
	}
	t.para(bold, "", "%s: %s", t.story(), amount)
	switch {
	case n.OutstandingBytes > 0:
		still := are(n.OutstandingCount) + " still mapped"
		if t.gone() {
			still = were(n.OutstandingCount) + " still mapped at the end"
		}
		t.para(plain, "", "%s on %s %s made in this window and %s.",
			count(n.OutstandingCount, "mapping"), count(t.pathCount(), "call path"),
			were(n.OutstandingCount), still)
	case sure(q):
		t.para(plain, "", "Nothing that was mapped in this window is still mapped.")
	default:
		t.para(alert, "", "Nothing is known to be left of what was mapped in this window, "+
			"but not everything could be seen.")
	}
	s, more := plain, ""
	if !sure(q) {
		s, more = alert, "; see HOW SURE"
	}
	t.para(s, "", "%s seen, %s, %s%s.", count(n.Calls, "call"), lossText(q), mapText(q, t.gone()), more)
	t.warnings()
}

// story says who was traced, how long, and how it ended.
func (t *text) story() string {
	w, who := &t.r.Window, t.subject()
	d := span(w.Duration)
	switch root := t.root(); {
	case t.gone() && root != nil:
		return fmt.Sprintf("%s %s after %s", who, end(root.Ended), d)
	case w.StoppedBy == "interim":
		return fmt.Sprintf("%s, interim report after %s", who, d)
	case w.StoppedBy == "signal" && w.Planned > w.Duration:
		return fmt.Sprintf("%s, stopped early after %s of %s", who, d, span(w.Planned))
	case w.StoppedBy == "signal":
		return fmt.Sprintf("%s, stopped after %s", who, d)
	case w.StoppedBy == "exit":
		return fmt.Sprintf("%s, traced to the end for %s", who, d)
	}
	return fmt.Sprintf("%s, traced for %s", who, d)
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
	w, h := &t.r.Window, &t.r.Host
	if w.Duration < shortWindow && len(t.r.Paths) > 0 && !t.gone() {
		t.para(plain, "", "A window of %s is short: much of this may just not be unmapped yet.",
			span(w.Duration))
	}
	for i := range t.r.Targets {
		g := &t.r.Targets[i]
		if g.Ended == "called exec" && len(t.r.Targets) == 1 {
			t.para(plain, "", "It called exec, which took away all that it had mapped until then.")
		}
		if h.MaxMapCount > 0 && g.Mappings >= h.MaxMapCount/10*8 {
			t.para(alert, "", "pid%s%d holds %s of the %s that vm.max_map_count allows; beyond "+
				"that mmap fails with ENOMEM.", nbsp, g.PID, number(g.Mappings),
				count(h.MaxMapCount, "mapping"))
		}
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
	return uint64(len(t.r.Paths) + t.left.Filtered.Paths + t.left.Beyond.Paths)
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

func were(n uint64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
