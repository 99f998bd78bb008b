package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// elsewhere says where to look when nothing grows that was mapped in the window.
func (t *text) elsewhere() {
	n, all := &t.r.Totals, t.r.Window.FromExec // nothing is older
	if all && n.Calls > 0 && n.HeapGrowth <= 0 {
		return
	}
	t.title("WHERE ELSE TO LOOK", "")
	if n.HeapGrowth > 0 {
		t.point("The heap grew by %s (brk). malloc takes this memory in one piece and hands it "+
			"out itself: a heap profiler tells who asked for it.", size(uint64(n.HeapGrowth)))
	}
	if n.Calls == 0 {
		t.point("No call that changes the address space was made at all. If memory grows all " +
			"the same, pages of older mappings are being touched for the first time: RSS grows, VIRT does not.")
	}
	if n.OldBytes > 0 && !all {
		t.point("%s was mapped before the window began. What grows slowly needs a longer window.",
			size(n.OldBytes))
	}
	if n.Calls > 0 && n.HeapGrowth <= 0 {
		t.point("If the process grows between two windows, the growth may come in bursts: trace across one.")
	}
}

// A command is something to try next, and why.
type command struct{ line, why string }

// step is the one thing to do next, as a clause or sentence; "" if that is a
// command and none is wanted.
func (t *text) step() string {
	switch c := t.g.chief(); {
	case c != nil && len(t.g.leaks.paths) == 0 && c.paths[0].Verdict.Of == verdict.AddressSpace && c.paths[0].Commit.Returned > c.paths[0].Commit.Closed:
		if n := &c.commit; n.LazyHeld > c.residence().Present/2 {
			return "Judge it by RSS less LazyFree, which smaps_rollup of /proc tells: that much the kernel takes when it needs it."
		}
		return "Judge it by RSS, not by VIRT: what madvise gives back is free for others."
	case c != nil && c.paths[0].Owner.Name != "" && (c == &t.g.leaks || c.owner != nil):
		return c.paths[0].Owner.Advice
	case c == &t.g.leaks:
		return t.lookFor(c.paths[0])
	case c != nil && c.paths[0].Verdict.Of == verdict.Committed:
		return "Look for what opens more of it by mprotect and never gives it back; the path below has reserved it."
	}
	if len(t.leftByTargets()) > 0 && t.g.chief() == nil {
		return t.leftStep()
	}
	cs := t.commands()
	if len(cs) == 0 || t.o.NoNext {
		return ""
	}
	switch {
	case t.gone() && t.r.Window.FromExec && t.g.chief() != nil:
		return "Give it more to do, so that a trend shows."
	case t.gone() && t.r.Window.FromExec:
		return "Nothing: it was traced from its first mapping on, and nothing grew to its end."
	case t.gone():
		return "Trace it again, from its first mapping on: " + cs[0].line
	}
	if c := t.g.chief(); c == nil && len(t.g.early.paths) == 0 {
		return "If it grows all the same, trace for longer: " + cs[0].line
	}
	return "Trace for longer: " + cs[0].line
}

// lookFor says what is wrong with a path of the program's own.
func (t *text) lookFor(p *report.Path) string {
	below := ""
	if slices.ContainsFunc(t.list, func(q *report.Path) bool { return q.ID == p.ID }) {
		below = "; the path is below"
	}
	if p.Verdict.Swells {
		return "Look for what makes it larger (mremap, realloc) and never smaller" + below + ", as it was mapped."
	}
	if i := blame(p.Frames); i < len(p.Frames) {
		return fmt.Sprintf("Look for the munmap that %s or its callers owe%s.", shortLabel(&p.Frames[i]), below)
	}
	return "Look for the munmap that is missing" + below + "."
}

// next writes commands to go on with.
func (t *text) next() {
	cs := t.commands()
	if len(cs) == 0 {
		return
	}
	t.title("NEXT", "")
	wide := 0
	for _, c := range cs {
		wide = max(wide, columns(c.line))
	}
	for _, c := range cs {
		l := "  " + padTo(c.line, wide) + "   # " + c.why
		if columns(l) <= t.width {
			t.line(plain, l)
			continue
		}
		t.line(dim, "  # "+c.why)
		t.line(plain, "  "+c.line)
	}
}

// commands chooses what to try next.
func (t *text) commands() []command {
	if len(t.r.Targets) == 0 {
		return nil
	}
	trace := "sudo mmtrace"
	if _, children := t.census(); children > 0 {
		trace += " -f"
	}
	if t.gone() {
		var cs []command
		switch {
		case !t.r.Window.FromExec:
			cs = append(cs, command{trace + " -- " + t.again(), "again, from its first mapping on"})
		case !t.o.All && t.pathCount() > t.g.leaks.n()+t.g.growing.n():
			cs = append(cs, command{trace + " --all -- " + t.again(), "every path, not only those that grow"})
		}
		if t.pathCount() > 0 {
			cs = append(cs, command{trace + " -o out.folded -- " + t.again(), "for a flame graph"})
		}
		return cs
	}
	trace += t.pids()
	cs := []command{{trace + " -d " + t.longer(), "does it go on growing?"}}
	switch {
	case t.left.Filtered.Paths > 0 && len(t.list) == 0:
		return append(cs, command{trace + " -z 0 --older 0", "paths of every size and age"})
	case t.pathCount() == 0:
		if len(t.r.Targets) == 1 {
			pid := t.r.Targets[0].PID
			cs = append(cs,
				command{fmt.Sprintf("grep -E 'Vm(Size|RSS|Swap)' /proc/%d/status", pid), "does VIRT grow, or RSS?"},
				command{fmt.Sprintf("pmap -x %d", pid), "what is mapped now"})
		}
		return cs
	}
	if !t.o.All && t.pathCount() > t.g.leaks.n()+t.g.growing.n() {
		cs = append(cs, command{trace + " --all", "every path, not only those that grow"})
	}
	return append(cs,
		command{trace + " -o out.folded", "for a flame graph"},
		command{trace + " -o out.json", "everything, for programs"})
}

// pids returns the options that name the targets, or a placeholder if they are
// too many for a line.
func (t *text) pids() string {
	if roots, _ := t.census(); roots > 4 {
		return " -p PID"
	}
	var b strings.Builder
	for i := range t.r.Targets {
		if g := &t.r.Targets[i]; !ended(g) && g.Parent == 0 {
			fmt.Fprintf(&b, " -p %d", g.PID)
		}
	}
	if b.Len() == 0 {
		return " -p PID"
	}
	return b.String()
}

// wanted returns a window that should do for the headline to be sure, 0 if this
// one did.
func (t *text) wanted() event.Time {
	if t.r.Window.FromExec && t.gone() && t.g.chief() == nil {
		return 0 // there is no more of it
	}
	longer := t.g.early.longer
	if c := t.g.chief(); c != nil {
		longer = c.longer
	}
	if w := t.r.Window.Duration; w < shortWindow && t.pathCount() > 0 {
		longer = max(longer, 6*shortWindow)
	}
	if longer == 0 {
		return 0
	}
	return max(longer, t.r.Window.Duration+1)
}

// longer returns a window to try next, as the option -d takes it: one that should
// do, or about ten times this one.
func (t *text) longer() string {
	d := t.wanted()
	if d == 0 {
		d = 4 * t.r.Window.Duration
	}
	_, flag := window(d)
	return flag
}

// windows are the usual ones, as people and as the option -d take them.
var windows = []struct {
	d    event.Time
	text string
	flag string
}{
	{30e9, "30 s", "30s"}, {60e9, "1 min", "1m"}, {120e9, "2 min", "2m"}, {300e9, "5 min", "5m"}, {600e9, "10 min", "10m"},
	{1800e9, "30 min", "30m"}, {7200e9, "2 h", "2h"}, {43200e9, "12 h", "12h"},
}

// window returns the first of windows that is no shorter than d, for people and for
// -d; beyond them it is open.
func window(d event.Time) (text, flag string) {
	for _, w := range windows {
		if w.d >= d {
			return strings.ReplaceAll(w.text, " ", nbsp), w.flag
		}
	}
	return span(d), "0"
}

// again returns the target's command line as a shell takes it, or a placeholder
// if it is long or cannot be pasted.
func (t *text) again() string {
	root := t.root()
	if root == nil {
		return "COMMAND"
	}
	line := shell(root.Cmdline)
	if line == "" || line != printable(line) || columns(line) > t.width-40 {
		return "COMMAND"
	}
	return line
}

// shell returns args as a shell takes them.
func shell(args []string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"
	words := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.Trim(a, safe) != "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words[i] = a
	}
	return strings.Join(words, " ")
}

// about writes what an incident report has to quote: when, where, what and by
// which version.
func (t *text) about() {
	v, h := &t.r.Tool, &t.r.Host
	if v.Name == "" && h.Kernel == "" && t.r.Window.StartUnix == 0 {
		return // a trace in the text form
	}
	t.title("ABOUT", "")
	if t.r.Window.StartUnix != 0 {
		t.para(plain, "  traced    ", "%s to %s", stamp(t.r.Window.StartUnix, 0),
			stamp(t.r.Window.StartUnix, t.r.Window.Duration))
	}
	if when := t.r.Window.When; when != "" {
		t.para(plain, "  when      ", "%s", printable(when))
	}
	if g := t.root(); g != nil {
		line := shell(g.Cmdline)
		if line == "" {
			line = g.Exe
		}
		t.para(plain, "  command   ", "%s", printable(line))
	}
	if h.Kernel != "" {
		t.para(plain, "  host      ", "%s", printable(strings.Join(nonEmpty(h.Name, "Linux "+h.Kernel, h.Arch), ", ")))
	}
	if v.Name != "" {
		t.para(plain, "  tool      ", "%s", printable(strings.Join(nonEmpty(v.Name, v.Version, v.Commit), " ")))
	}
	if s := costText(t.r); s != "" {
		t.para(plain, "  cost      ", "%s", s)
	}
}

// nonEmpty returns the strings that are not empty.
func nonEmpty(s ...string) []string {
	return slices.DeleteFunc(s, func(s string) bool { return s == "" })
}
