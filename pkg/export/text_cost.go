package export

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// costText says what the tracing cost the target, the machine and the tracer; ""
// if that is not known.
func costText(r *report.Report) string {
	c := &r.Cost
	if !c.Known {
		return ""
	}
	s := []string{lostText(r)}
	if c.CallLonger > 0 {
		s = append(s, fmt.Sprintf("Every other system call of the machine took %s longer.", brief(c.CallLonger)))
	}
	own := fmt.Sprintf("mmtrace used %s of CPU (%s of the window)", brief(float64(c.CPU)), percent(ratio(float64(c.CPU), float64(r.Window.Duration))))
	if c.OtherCPU > 0 {
		own += fmt.Sprintf(", %s before and after", brief(float64(c.OtherCPU)))
	}
	if c.Memory > 0 {
		own += fmt.Sprintf(", at most %s of memory", size(c.Memory))
	}
	if c.Maps > 0 {
		own += fmt.Sprintf(", and %s for BPF maps", size(c.Maps))
	}
	return strings.Join(append(s, own+"."), " ")
}

// lostText says how much time the targets lost.
func lostText(r *report.Report) string {
	c := &r.Cost
	who, whose := "process", "its"
	if len(r.Targets) != 1 {
		who, whose = "processes", "their"
	}
	switch c.NoEvent {
	case report.NotSampledRight:
		return fmt.Sprintf("How much time the %s lost was not measured: that takes cap_sys_admin.", who)
	case report.NotSampledError:
		return fmt.Sprintf("How much time the %s lost could not be measured.", who)
	}
	if r.Quality.Events == 0 {
		return "The " + who + " lost no time, for want of events."
	}
	if c.NoEvent != "" {
		return fmt.Sprintf("How much time the %s lost is not known: no event came in the %s in which that was measured.", who, span(c.Sampled))
	}
	most := ""
	if c.AtMost {
		most = "at most "
	}
	shares := percent(ratio(float64(c.Lost), float64(r.Window.Duration))) + " of the window"
	if c.TargetCPU > 0 {
		shares += ", " + percent(ratio(float64(c.Lost), float64(c.TargetCPU))) + " of " + whose + " CPU time"
	}
	return fmt.Sprintf("The %s lost %s%s (%s), %s%s an event.", who, most, brief(float64(c.Lost)), shares, most, brief(c.PerEvent))
}

// brief writes ns nanoseconds to two or three digits: "75 ns", "1.4 ms", "0 ns".
func brief(ns float64) string {
	units := []struct {
		ns   float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}
	for _, u := range units {
		switch v := ns / u.ns; {
		case v >= 60 && u.name == "s":
			return span(event.Time(min(ns, math.MaxInt64/2)))
		case v >= 9.95:
			return fmt.Sprintf("%.0f%s%s", v, nbsp, u.name)
		case v >= 0.9995:
			return fmt.Sprintf("%.1f%s%s", v, nbsp, u.name)
		}
	}
	return fmt.Sprintf("%.0f%sns", ns, nbsp)
}

// percent writes a part to two digits: "12 %", "1.3 %", "0.05 %".
func percent(p float64) string {
	v := 100 * p
	switch {
	case v >= 9.95:
		return fmt.Sprintf("%.0f%s%%", v, nbsp)
	case v >= 0.995:
		return fmt.Sprintf("%.1f%s%%", v, nbsp)
	case v >= 0.0095:
		return fmt.Sprintf("%.2f%s%%", v, nbsp)
	case v > 0:
		return "under" + nbsp + "0.01" + nbsp + "%"
	}
	return "0" + nbsp + "%"
}
