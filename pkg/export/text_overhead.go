package export

import (
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// overhead writes what tracing cost, and what was left out to keep it down, if
// there was a limit.
func (t *text) overhead() {
	o := &t.r.Overhead
	if !(o.Limit > 0) {
		return
	}
	t.point("%s", costDetail(o))
	if s := o.Saved(report.SavingUnmaps); s != nil {
		t.point("From %s on it left out the call stacks of munmap, %s so far, and those of calls that open files, since it took %s.",
			span(s.Time), count(o.Unstacked, "stack"), percent(s.Share))
	}
	if s := o.Saved(report.SavingHot); s != nil {
		t.point("From %s on it did not walk the stacks of hot paths, since it took %s: %s assumed to be that of "+
			"the call before at the same place. %s", span(s.Time), percent(s.Share), wereAssumed(o.Assumed), checkDetail(o))
	}
	if o.AssumedMappings > 0 {
		t.point("The path of %s is assumed in that way.", count(o.AssumedMappings, "outstanding mapping"))
	}
}

// costDetail compares the cost with the limit.
func costDetail(o *report.Overhead) string {
	s := fmt.Sprintf("Tracing took %s of the CPU time that the target took itself; --max-overhead allows %s.",
		percent(o.Share()), percent(o.Limit))
	if o.Share() > o.Limit {
		if o.Saved(report.SavingHot) != nil {
			return s + " All was left out that can be."
		}
		return s + " That was seen too late, or only at the end."
	}
	return s
}

func wereAssumed(n uint64) string {
	if n == 1 {
		return "1" + nbsp + "stack was"
	}
	return number(n) + nbsp + "stacks were"
}

// checkDetail says how well assuming went.
func checkDetail(o *report.Overhead) string {
	switch {
	case o.Checked == 0:
		return "None was walked to check."
	case o.Differed == 0:
		return fmt.Sprintf("Of %s more that were walked to check, all were as assumed.", number(o.Checked))
	}
	return fmt.Sprintf("Of %s more that were walked to check, %s not as assumed; such places are walked since.",
		number(o.Checked), was(o.Differed))
}

func was(n uint64) string {
	if n == 1 {
		return "1" + nbsp + "was"
	}
	return number(n) + nbsp + "were"
}
