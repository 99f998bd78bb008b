package export

import (
	"fmt"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// suppressed sums up what does not count as a leak since somebody said so.
func (t *text) suppressed() {
	all := uint64(len(t.r.Suppressed))
	if all == 0 {
		return
	}
	t.title("SUPPRESSED", "")
	var used []*report.Suppressed
	for i := range t.r.Suppressed {
		if s := &t.r.Suppressed[i]; s.Paths > 0 {
			used = append(used, s)
		}
	}
	if len(used) == 0 {
		t.para(plain, "  ", "No call path matches %s.", anyOf(all))
		return
	}
	n := t.g.suppressed.n()
	by := ""
	if all > 1 {
		by = fmt.Sprintf(", by %s of %s", number(uint64(len(used))), count(all, "suppression"))
	}
	t.para(plain, "  ", "%s with %s %s%s.", count(n, "path"), size(t.g.suppressed.bytes), countsNot(n), by)
	t.blank()
	t.line(dim, "  paths  mappings        bytes")
	for _, s := range used {
		t.para(plain, fmt.Sprintf("  %s  %s  %s  ", rightTo(number(s.Paths), 5), rightTo(number(s.Mappings), 8), rightTo(size(s.Bytes), 11)),
			"%s  (%s)", printable(s.Text), printable(s.Place()))
	}
}

// anyOf names n suppressions of which none is meant.
func anyOf(n uint64) string {
	if n == 1 {
		return "the suppression"
	}
	return "any of " + number(n) + nbsp + "suppressions"
}

func countsNot(n uint64) string {
	if n == 1 {
		return "does not count as a leak"
	}
	return "do not count as leaks"
}
