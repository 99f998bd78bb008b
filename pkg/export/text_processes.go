package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// processes lists the targets if there are several: first those that were asked
// for, then their children that live, the largest first. Of children that have
// ended it says how many there were.
func (t *text) processes() {
	if len(t.r.Targets) < 2 {
		return
	}
	t.title("PROCESSES", "")
	row := func(s style, name, pid, now, change, mappings string) {
		t.line(s, "  "+padTo(name, 16)+rightTo(pid, 8)+rightTo(now, 13)+rightTo(change, 13)+rightTo(mappings, 10))
	}
	shown, gone := t.family()
	row(dim, "name", "pid", "mapped now", "change", "mappings")
	for _, g := range shown[:min(len(shown), maxListed)] {
		row(plain, comm(g.Comm), fmt.Sprint(g.PID), size(g.Bytes),
			signedSize(int64(g.Bytes-g.BytesBefore)), number(g.Mappings))
		var notes []string
		if g.Use > 1 {
			notes = append(notes, ordinal(g.Use)+" process with this pid")
		}
		if g.Parent != 0 {
			notes = append(notes, fmt.Sprintf("child of %d", g.Parent))
		}
		if g.Ended != "" {
			notes = append(notes, end(g.Ended))
		}
		if len(notes) > 0 {
			t.para(dim, "    ", "%s", strings.Join(notes, ", "))
		}
	}
	if n := len(shown) - maxListed; n > 0 {
		var bytes uint64
		for _, g := range shown[maxListed:] {
			bytes += g.Bytes
		}
		t.para(dim, "  ", "and %d more with %s mapped now", n, size(bytes))
	}
	if len(gone) > 0 {
		t.para(dim, "  ", "and %s ended in the window: %s%s", childrenThat(len(gone)), byName(gone), killed(gone))
	}
}

// maxListed bounds the processes that are listed.
const maxListed = 10

// family divides the targets into those to list and the children that have ended.
func (t *text) family() (shown, gone []*report.Target) {
	for i := range t.r.Targets {
		g := &t.r.Targets[i]
		if g.Parent != 0 && ended(g) {
			gone = append(gone, g)
		} else {
			shown = append(shown, g)
		}
	}
	slices.SortStableFunc(shown, func(a, b *report.Target) int {
		if (a.Parent == 0) != (b.Parent == 0) {
			return cmp.Compare(min(a.Parent, 1), min(b.Parent, 1))
		}
		if a.Parent == 0 {
			return 0
		}
		return cmp.Compare(b.Bytes, a.Bytes)
	})
	return shown, gone
}

// ordinal returns the place n in a row: "2nd".
func ordinal(n uint64) string {
	end := "th"
	if n/10%10 != 1 && n%10 >= 1 && n%10 <= 3 {
		end = []string{"st", "nd", "rd"}[n%10-1]
	}
	return number(n) + end
}

func childrenThat(n int) string {
	if n == 1 {
		return "1" + nbsp + "child that"
	}
	return number(uint64(n)) + nbsp + "children that"
}

// killed says how many processes a signal ended.
func killed(gs []*report.Target) string {
	n := 0
	for _, g := range gs {
		if strings.HasPrefix(g.Ended, "killed") {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d killed by a signal", n)
}

// byName counts processes by name, the most frequent first.
func byName(gs []*report.Target) string {
	counts := make(map[string]int)
	for _, g := range gs {
		counts[comm(g.Comm)]++
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for i, name := range names {
		if n := counts[name]; n > 1 {
			names[i] = number(uint64(n)) + nbsp + name
		}
	}
	return some(names)
}
