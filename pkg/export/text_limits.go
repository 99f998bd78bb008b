package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const (
	day = 86400 * event.Time(1e9)
	// farthest is how many windows ahead the number of mappings is foretold: what
	// comes later rests on too few mappings.
	farthest = 1000
	// lowMemory is little for a machine, in bytes.
	lowMemory = 256 << 20
)

// limits warns of processes that have, or soon will have, as many mappings as they
// may.
func (t *text) limits() {
	shown := 0
	for i := range t.r.Targets {
		g := &t.r.Targets[i]
		f := t.forecast(g)
		if ended(g) || !t.matters(&f) || shown == maxTrends || t.refuses(report.CauseMappings) && nearly(&f) {
			continue
		}
		shown++
		who := ""
		if len(t.r.Targets) > 1 {
			who = fmt.Sprintf("pid%s%d: ", nbsp, g.PID)
		}
		t.fact(alert, "limit", "%s%s. A larger vm.max_map_count makes room.", who, limitText(&f))
	}
}

// forecast says where the number of mappings of g leads; without samples it is
// what it is now.
func (t *text) forecast(g *report.Target) report.MappingsForecast {
	for i := range t.r.Trend.Processes {
		if p := &t.r.Trend.Processes[i]; p.PID == g.PID {
			return p.Mappings
		}
	}
	return report.MappingsForecast{Now: g.Mappings, Limit: t.r.Host.MaxMapCount}
}

// matters reports whether there is little room left, or something grows that will
// fill it within a day.
func (t *text) matters(f *report.MappingsForecast) bool {
	if f.Limit == 0 {
		return false
	}
	return nearly(f) || t.g.chief() != nil && f.Due && f.In <= min(day, farthest*min(t.r.Window.Duration, day))
}

// nearly reports whether four fifths of the mappings are there that may be.
func nearly(f *report.MappingsForecast) bool { return f.Now >= f.Limit-f.Limit/5 }

func limitText(f *report.MappingsForecast) string {
	s := fmt.Sprintf("%s of at most %s", count(f.Now, "mapping"), number(f.Limit))
	switch {
	case f.Now >= f.Limit:
		return s + ": every mmap fails with ENOMEM"
	case f.Due && f.In <= day:
		return fmt.Sprintf("%s, %s more: in %s every mmap fails with ENOMEM", s, perSecond(f.PerSecond), span(f.In))
	}
	return s + "; with no room left every mmap fails with ENOMEM"
}

// machine says what is out of the ordinary with the memory of the machine: little
// is left or soon will be, or there was swapping. It is "" if nothing is. That
// more is committed than CommitLimit is nothing by itself, but then goes with it.
func (t *text) machine() string {
	lines := t.r.Trend.System
	var parts []string
	if s := short(lines[report.Available]); s != "" {
		parts = append(parts, s)
		if c, l := lines[report.Committed].Last, lines[report.CommitLimit].Last; c > l && l > 0 {
			parts = append(parts, fmt.Sprintf("%s committed, above CommitLimit (%s)", size(c), size(l)))
		}
	}
	for _, m := range []struct {
		metric report.Metric
		name   string
	}{{report.SwappedOut, "out"}, {report.SwappedIn, "in"}} {
		if l := lines[m.metric]; l.Last > l.First {
			parts = append(parts, size((l.Last-l.First)*t.r.Host.PageSize)+" swapped "+m.name)
		}
	}
	return strings.Join(parts, "; ")
}

// short says how much memory is available, "" unless it is little, or falls so
// that it lasts for less than an hour.
func short(l report.Line) string {
	s := size(l.Last) + " available"
	lasts := float64(l.Last) / -l.PerSecond // seconds
	switch falls := l.PerSecond < 0 && l.Last < l.First-l.First/20; {
	case l.Max == 0:
		return ""
	case falls && lasts < 3600:
		return fmt.Sprintf("%s, %s: at this rate none in %s", s, rate(l.PerSecond), span(event.Time(lasts*1e9)))
	case l.Last < lowMemory:
		return s
	}
	return ""
}
