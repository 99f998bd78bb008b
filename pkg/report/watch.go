package report

import (
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Usage is what a process uses at a moment, as a Trigger sees it.
type Usage struct {
	RSS, Virt, Swap         uint64 // bytes
	Mappings, FDs, Threads  uint64
	KnowsMappings, KnowsFDs bool // they were looked up
}

// A gauge is a number of a Usage that a Trigger may name.
type gauge struct {
	named
	about string
	value func(*Usage) uint64
	rate  bool // its growth in a second, over rateSpan
}

// rateSpan is the time over which a rate is measured, in nanoseconds.
const rateSpan = 10 * event.Time(1e9)

// gauges are in the order of help texts.
var gauges = []gauge{
	{named{"rss", bytes}, "bytes in memory", func(u *Usage) uint64 { return u.RSS }, false},
	{named{"virt", bytes}, "bytes of address space", func(u *Usage) uint64 { return u.Virt }, false},
	{named{"swap", bytes}, "bytes in swap", func(u *Usage) uint64 { return u.Swap }, false},
	{named{"mappings", things}, "mappings, of which vm.max_map_count are allowed", func(u *Usage) uint64 { return u.Mappings }, false},
	{named{"fds", things}, "open file descriptors", func(u *Usage) uint64 { return u.FDs }, false},
	{named{"threads", things}, "threads", func(u *Usage) uint64 { return u.Threads }, false},
	{named{"rss-rate", bytesPerSecond}, "growth of rss in a second, over 10 seconds", func(u *Usage) uint64 { return u.RSS }, true},
	{named{"virt-rate", bytesPerSecond}, "growth of virt in a second, over 10 seconds", func(u *Usage) uint64 { return u.Virt }, true},
}

// Gauges returns what a Trigger may name, each with what it is, in the order for
// help texts.
func Gauges() [][2]string {
	out := make([][2]string, len(gauges))
	for i, g := range gauges {
		out[i] = [2]string{g.name, g.about}
	}
	return out
}

// A Trigger is a comparison of what a process uses with a bound: "rss>2G".
type Trigger struct {
	comparison
	gauge *gauge
}

// ParseTrigger reads a Trigger, in the form of a Condition. The error is
// a *ConditionError.
func ParseTrigger(s string) (Trigger, error) {
	names := make([]named, len(gauges))
	for i := range gauges {
		names[i] = gauges[i].named
	}
	c, at, err := parseComparison(s, names, "rss>2G")
	if err != nil {
		return Trigger{}, err
	}
	return Trigger{c, &gauges[at]}, nil
}

// Needs reports which numbers, that take time to look up, t is about.
func (t Trigger) Needs() (mappings, fds bool) {
	return t.gauge.name == "mappings", t.gauge.name == "fds"
}

// A Watch looks for triggers in what one process uses over time.
type Watch struct {
	Triggers []Trigger

	past []moment // oldest first; the first is the newest that is rateSpan old, if one is
}

type moment struct {
	at event.Time
	Usage
}

// Look takes what the process uses at a time, which does not go back, and returns
// what it finds for each trigger, in their order.
func (w *Watch) Look(at event.Time, u Usage) []Finding {
	w.past = append(w.past, moment{at, u})
	for len(w.past) > 1 && at-w.past[1].at >= rateSpan {
		w.past = w.past[1:]
	}
	out := make([]Finding, len(w.Triggers))
	for i := range w.Triggers {
		out[i] = w.find(&w.Triggers[i])
	}
	return out
}

func (w *Watch) find(t *Trigger) Finding {
	first, last := &w.past[0], &w.past[len(w.past)-1]
	g := t.gauge
	mappings, fds := t.Needs()
	took := last.at - first.at
	if mappings && !last.KnowsMappings || fds && !last.KnowsFDs || g.rate && took < rateSpan {
		return Finding{Text: g.name + " is not known yet"}
	}
	n := float64(g.value(&last.Usage))
	if g.rate {
		n = (n - float64(g.value(&first.Usage))) / (float64(took) / 1e9)
	}
	return Finding{Value: n, Known: true, Holds: t.holds(n), Text: fmt.Sprintf("%s is %s", g.name, g.unit.text(n))}
}
