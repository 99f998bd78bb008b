package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxPlaces bounds the places that the answer names.
const maxPlaces = 3

// fewGrown is how much growth of RSS is worth a line, in bytes; less than a fiftieth
// of it is not.
const fewGrown = 1 << 20

// answer writes what a reader wants to know first: whether it leaks, where, why,
// how sure that is, and what to do next.
func (t *text) answer() {
	s := bold
	if len(t.g.leaks.paths) > 0 {
		s = bad
	}
	t.para(s, "", "%s: %s%s", t.subject(), t.finding(), t.besides())
	t.blank()
	t.refused()
	t.where()
	t.also()
	t.leftFact()
	t.limits()
	t.overcommit()
	t.sure()
	if s := t.step(); s != "" {
		t.fact(plain, "next", "%s", s)
	}
	t.warnings()
}

func (t *text) fact(s style, name, format string, args ...any) {
	t.para(s, "  "+padTo(name, 7), format, args...)
}

// finding is the answer in one clause.
func (t *text) finding() string {
	g := t.g
	switch c := g.chief(); {
	case len(g.leaks.paths) > 0:
		return fmt.Sprintf("%s %s %s", count(c.n(), "path"), verb(c.n(), "leak"), c.amount())
	case len(g.growing.paths) > 0:
		return fmt.Sprintf("no leak found, but %s %s: %s", count(c.n(), "path"), verb(c.n(), "grow"), c.amount())
	case c != nil:
		return fmt.Sprintf("no leak found; the %s grows: %s", c.owner.Name, c.amount())
	case len(g.early.paths) > 0:
		return fmt.Sprintf("no leak found, but %s %s too young to judge: %s", count(g.early.n(), "path"), are(g.early.n()), size(g.early.bytes))
	case !sure(&t.r.Quality):
		return "no leak found, but not everything could be seen"
	}
	if len(g.suppressed.paths) > 0 {
		return "no path leaks, but for what is suppressed"
	}
	return "no path leaks"
}

// where writes the places of the headline's paths and the reason for the verdict
// on the largest; if nothing grows, what is outstanding.
func (t *text) where() {
	c := t.g.chief()
	if c == nil {
		t.fact(plain, "held", "%s", t.held())
		t.grew()
		return
	}
	if c.owner == nil {
		for i, p := range c.paths[:min(len(c.paths), maxPlaces)] {
			t.fact(plain, []string{"where", ""}[min(i, 1)], "%s%s", place(p), t.amount(c, p))
		}
		if n := len(c.paths) - maxPlaces; n > 0 {
			t.fact(plain, "", "and %s", count(uint64(n), "more path"))
		}
	}
	if s := c.closed() + inMemory(c.residence(), c.all(), &c.commit); s != "" {
		t.fact(plain, "of it", "%s.", strings.TrimPrefix(s, "; "))
	}
	first := c.paths[0]
	if o := &first.Owner; o.Name != "" {
		t.fact(plain, "whose", "%s: %s", o.Name, o.What)
	}
	of := ""
	if len(c.paths) > 1 {
		of = "The largest: "
	}
	if first.Verdict.Why != "" {
		t.fact(plain, "why", "%s%s", of, reason(first))
	}
}

// grew says by how much RSS grew, where no path does, in memory that was mapped before
// the window: who looks for a leak has seen that, and no call tells of it.
func (t *text) grew() {
	ts := t.trends()
	if len(ts) == 0 || ended(t.target(ts[0].PID)) {
		return
	}
	g, l := &ts[0].Resident, ts[0].Lines[report.RSS]
	if few := int64(max(fewGrown, l.First/50)); g.Change < few || g.Unknown > 0 || g.Old < g.Change/2 {
		return
	}
	who := "RSS"
	if len(t.r.Targets) > 1 {
		who += fmt.Sprintf(" of %s (pid%s%d)", comm(ts[0].Comm), nbsp, ts[0].PID)
	}
	t.fact(plain, "grew", "%s, by %s to %s, %s of that in memory that was mapped before this window.", who, size(uint64(g.Change)), size(l.Last),
		share(uint64(min(g.Old, g.Change)), uint64(g.Change)))
}

// amount says what p holds if its group has several paths.
func (t *text) amount(c *group, p *report.Path) string {
	if len(c.paths) < 2 {
		return ""
	}
	return fmt.Sprintf(": %s (%s)", size(p.Growth()), rate(p.Rate))
}

// place names the direct caller of p: the frame to look at first.
func place(p *report.Path) string {
	i := blame(p.Frames)
	if i == len(p.Frames) {
		if len(p.Frames) == 0 {
			return "(no call stack was captured)"
		}
		i = 0
	}
	f := &p.Frames[i]
	var at []string
	if f.File != "" {
		s := printable(base(f.File))
		if f.Line > 0 {
			s += fmt.Sprintf(":%d", f.Line)
		}
		at = append(at, s)
	}
	if f.Function != "" && f.Module != "" {
		at = append(at, "in "+moduleName(f))
	}
	if len(at) == 0 {
		return shortLabel(f)
	}
	return shortLabel(f) + ", " + strings.Join(at, ", ")
}

// held sums up what is outstanding when nothing grows.
func (t *text) held() string {
	n := &t.r.Totals
	if n.OutstandingBytes == 0 && t.pathCount() == 0 {
		if sure(&t.r.Quality) {
			return "Nothing that was mapped in this window is still mapped."
		}
		return "Nothing is known to be left of what was mapped in this window."
	}
	g := t.g
	var parts []string
	for _, p := range []struct {
		n    uint64
		text string
	}{
		{g.cache.n(), count(g.cache.n(), "cache")}, {g.young.n(), count(g.young.n(), "path") + " with young mappings only"},
		{g.once.n(), number(g.once.n()) + nbsp + "mapped once"}, {g.early.n(), number(g.early.n()) + nbsp + "too young to judge"},
		{g.suppressed.n(), number(g.suppressed.n()) + nbsp + "suppressed"},
	} {
		if p.n > 0 {
			parts = append(parts, p.text)
		}
	}
	return fmt.Sprintf("%s %s outstanding on %s: %s.", size(n.OutstandingBytes), t.still(),
		count(t.pathCount(), "path"), strings.Join(parts, ", "))
}

func (t *text) still() string {
	if t.gone() {
		return "was"
	}
	return "is"
}

// also writes what else grows or is left behind.
func (t *text) also() {
	g, c := t.g, t.g.chief()
	var parts []string
	if n := g.growing.n(); n > 0 && c != &g.growing {
		parts = append(parts, fmt.Sprintf("%s %s: %s", count(n, "path"), verb(n, "grow"), g.growing.amount()))
	}
	for _, h := range g.heaps {
		if h != c {
			parts = append(parts, fmt.Sprintf("the %s grows: %s", h.owner.Name, h.amount()))
		}
	}
	if n := g.suppressed.n(); n > 0 && c != nil {
		parts = append(parts, fmt.Sprintf("%s %s suppressed: %s", count(n, "path"), are(n), size(g.suppressed.bytes)))
	}
	if left := leftBytes(t.r.Remnants); left > 0 {
		parts = append(parts, size(left)+" is left of mappings that were unmapped only in part")
	}
	if len(parts) > 0 {
		t.fact(plain, "also", "%s.", strings.Join(parts, "; "))
	}
}

// reason is the sentence behind the verdict on p.
func reason(p *report.Path) string { return unbroken(p.Verdict.Why) }

// unbroken returns s printable, with every number and its unit on one line.
func unbroken(s string) string {
	words := strings.Split(printable(s), " ")
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			last := words[i-1]
			if isUnit(w) && last != "" && '0' <= last[len(last)-1] && last[len(last)-1] <= '9' {
				b.WriteString(nbsp)
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(w)
	}
	return b.String()
}

func isUnit(w string) bool {
	switch strings.TrimRight(w, ".,:;)") {
	case "us", "ms", "s", "min", "h", "%", "B", "KiB", "MiB", "GiB", "TiB":
		return true
	}
	return false
}

// sure says how far the answer can be trusted.
func (t *text) sure() {
	q, s := &t.r.Quality, plain
	how, more := "yes", ""
	longer := t.wanted()
	switch {
	case !sure(q):
		how, more, s = "not quite", "; see HOW SURE", alert
	case longer > 0:
		how = "not yet"
	case len(t.g.leaks.paths) == 0:
		how = "yes, for this window"
	}
	if longer > 0 && !t.gone() {
		text, _ := window(longer)
		more += "; a window of " + text + " should do"
	}
	t.fact(s, "sure", "%s: %s, %s seen, %s, %s%s.", how, t.story(), count(t.r.Totals.Calls, "call"),
		lossText(q), mapText(q, t.gone()), more)
}

// verb returns the form of a regular verb that goes with n things.
func verb(n uint64, s string) string {
	if n == 1 {
		return s + "s"
	}
	return s
}
