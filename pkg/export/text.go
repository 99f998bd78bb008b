package export

import (
	"fmt"
	"io"

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
	t.next()
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
			still = were(n.OutstandingCount) + " still mapped when it ended"
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
	switch {
	case t.gone():
		return fmt.Sprintf("%s %s after %s", who, end(t.r.Targets[0].Ended), d)
	case w.StoppedBy == "interim":
		return fmt.Sprintf("%s, interim report after %s", who, d)
	case w.StoppedBy == "signal" && w.Planned > w.Duration:
		return fmt.Sprintf("%s, stopped early after %s of %s", who, d, span(w.Planned))
	case w.StoppedBy == "exit":
		return fmt.Sprintf("%s, traced to the end for %s", who, d)
	}
	return fmt.Sprintf("%s, traced for %s", who, d)
}

// subject names the target, or says how many there are.
func (t *text) subject() string {
	switch ts := t.r.Targets; len(ts) {
	case 0:
		return "no process"
	case 1:
		return fmt.Sprintf("%s (pid%s%d)", comm(ts[0].Comm), nbsp, ts[0].PID)
	default:
		return number(uint64(len(ts))) + nbsp + "processes"
	}
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

// gone reports whether the one target has ended.
func (t *text) gone() bool {
	return len(t.r.Targets) == 1 && ended(&t.r.Targets[0])
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
