package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// maxTrends bounds the processes of which the sizes are shown.
const maxTrends = 3

// memory writes how the sizes of the processes went and what explains it, and
// about the machine what is out of the ordinary. Without two samples there is
// nothing to say.
func (t *text) memory() {
	ts := t.trends()
	if len(ts) == 0 {
		return
	}
	t.title("MEMORY", "")
	for _, p := range ts[:min(len(ts), maxTrends)] {
		if len(t.r.Targets) > 1 {
			t.line(dim, fmt.Sprintf("  in %s (pid%s%d)", comm(p.Comm), nbsp, p.PID))
		}
		t.sizes(p)
	}
	if n := len(ts) - maxTrends; n > 0 {
		t.para(dim, "  ", "and %s more, of which RSS changed less", number(uint64(n)))
	}
	if s := t.machine(); s != "" {
		t.quantity(alert, "machine", s)
	}
}

// trends returns the processes that were sampled at least twice, without children
// that have ended: those whose RSS changed most come first.
func (t *text) trends() []*report.ProcessTrend {
	var out []*report.ProcessTrend
	for i := range t.r.Trend.Processes {
		p := &t.r.Trend.Processes[i]
		g := t.target(p.PID)
		if p.Samples != nil && len(p.Samples.Times) > 1 && g != nil && (g.Parent == 0 || !ended(g)) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b *report.ProcessTrend) int {
		return cmp.Compare(distance(b.Lines[report.RSS]), distance(a.Lines[report.RSS]))
	})
	return out
}

// target returns the target of a process, nil if there is none.
func (t *text) target(pid event.PID) *report.Target {
	i := slices.IndexFunc(t.r.Targets, func(g report.Target) bool { return g.PID == pid })
	if i < 0 {
		return nil
	}
	return &t.r.Targets[i]
}

// distance is how far apart the ends of l are.
func distance(l report.Line) uint64 { return max(l.First, l.Last) - min(l.First, l.Last) }

// sizes writes the sizes of one process. What its growth is made of is known only
// while it lives.
func (t *text) sizes(p *report.ProcessTrend) {
	var virt, rss string
	if !ended(t.target(p.PID)) {
		virt, rss = made(&p.Size, oldSize), made(&p.Resident, oldResident)
	}
	t.sizeLine("VIRT", p.Lines[report.Size], virt)
	t.sizeLine("RSS", p.Lines[report.RSS], rss)
	t.sizeLine("swap", p.Lines[report.Swap], "")
	minor, major := p.Lines[report.MinorFaults].PerSecond, p.Lines[report.MajorFaults].PerSecond
	switch s := perSecond(minor + major); {
	case major >= 0.05:
		t.quantity(plain, "faults", s+", of which "+perSecond(major)+" had to read from disk")
	case minor >= 0.05:
		t.quantity(plain, "faults", s)
	}
}

// quantity writes what is known of one of the quantities.
func (t *text) quantity(s style, name, what string) {
	t.para(s, "  "+padTo(name, 9), "%s", what)
}

// sizeLine writes a size from first to last, unless it was 0 all the time.
func (t *text) sizeLine(name string, l report.Line, parts string) {
	if l.Max == 0 {
		return
	}
	s := fmt.Sprintf("%s -> %s, %s (%s)", size(l.First), size(l.Last), signedSize(int64(l.Last-l.First)), rate(l.PerSecond))
	if l.Min == l.Max {
		s = size(l.Last) + " all the time"
	}
	if parts != "" {
		s += ": " + parts
	}
	t.quantity(plain, name, s)
}

// An older names what happened to what was mapped before the window, by whether
// it made a size larger or smaller.
type older struct{ up, down string }

var (
	oldSize     = older{"older mappings", "older mappings unmapped"}
	oldResident = older{"older mappings touched", "older mappings given back or swapped"}
)

// made says what a growth is made of: shares of it if all parts point upwards and
// are known, else signed sizes.
func made(g *report.Growth, o older) string {
	if g.Unknown > 0 && g.Paths == 0 && g.Heap == 0 {
		return "what it is made of was not looked up"
	}
	old := o.up
	if g.Old < 0 {
		old = o.down
	}
	shares := g.Unknown == 0 && g.Change > 0 && min(g.Paths, g.Heap, g.Old, g.Other) >= 0
	var parts []string
	for _, p := range []struct {
		n    int64
		name string
	}{{g.Paths, "the paths above"}, {g.Heap, "the heap of brk"}, {g.Old, old}, {g.Other, "the kernel itself"}} {
		switch {
		case p.n != 0 && shares:
			parts = append(parts, share(uint64(p.n), uint64(g.Change))+" "+p.name)
		case p.n != 0:
			parts = append(parts, signedSize(p.n)+" "+p.name)
		}
	}
	s := strings.Join(parts, ", ")
	if g.Unknown > 0 {
		s += fmt.Sprintf("; %s of the paths was not looked at and counts as older where it is in memory", size(g.Unknown))
	}
	return s
}

// perSecond writes a frequency: "0.4/s", "1,204/s".
func perSecond(v float64) string {
	switch {
	case math.IsNaN(v) || math.Abs(v) > math.MaxInt64/2:
		return "unknown rate"
	case v < 9.95:
		return fmt.Sprintf("%.1f/s", v)
	}
	return number(uint64(math.Round(v))) + "/s"
}
