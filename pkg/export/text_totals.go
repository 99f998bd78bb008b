package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// totals writes the sums over all targets.
func (t *text) totals() {
	n := &t.r.Totals
	t.title("TOTALS", "")
	t.sum("mapped in this window", n.MappedBytes, count(n.MappedCount, "mapping"))
	t.sum("unmapped again", n.UnmappedBytes, count(n.UnmappedCount, "mapping"))
	if gone := n.MappedBytes - n.UnmappedBytes - n.OutstandingBytes; int64(gone) > 0 {
		t.sum("gone by exec or exit", gone, "")
	}
	t.sum("outstanding", n.OutstandingBytes, count(n.OutstandingCount, "mapping"))
	t.sum("from before, still mapped", n.OldBytes, "")
	t.sum("from before, unmapped", n.OldUnmapped, "")
	if n.OldOpened != 0 {
		t.figure("from before, made accessible", signedSize(n.OldOpened), "by mprotect, net")
	}
	if n.HeapGrowth != 0 {
		t.figure("heap (program break)", signedSize(n.HeapGrowth), "memory that malloc got by brk")
	}
	if len(t.r.Targets) == 1 && !t.gone() {
		g := &t.r.Targets[0]
		t.sum("address space at the end", g.Bytes, t.mapCount(g))
	}
	if out := &t.out.NotIncluded; out.Paths > 0 {
		t.sum("left out by --include", out.Bytes, count(uint64(out.Paths), "path")+" of the outstanding ones")
	}
	if out := &t.out.Excluded; out.Paths > 0 {
		t.sum("left out by --exclude", out.Bytes, count(uint64(out.Paths), "path")+" of the outstanding ones")
	}
	if s := callText(n.ByKind); s != "" {
		t.para(plain, "  calls: ", "%s", s)
	}
}

// mapCount says how many mappings g has, and how many it may have.
func (t *text) mapCount(g *report.Target) string {
	s := count(g.Mappings, "mapping")
	if t.r.Host.MaxMapCount > 0 {
		s += fmt.Sprintf(" (limit %s)", number(t.r.Host.MaxMapCount))
	}
	return s
}

func (t *text) sum(what string, bytes uint64, note string) { t.figure(what, size(bytes), note) }

func (t *text) figure(what, figure, note string) {
	t.para(plain, fmt.Sprintf("  %-27s  %s  ", what, rightTo(figure, 11)), "%s", note)
}

// callText lists the calls by kind, the most frequent first.
func callText(kinds map[string]uint64) string {
	names := make([]string, 0, len(kinds))
	for k, n := range kinds {
		if n > 0 {
			names = append(names, k)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), strings.Compare(a, b))
	})
	for i, k := range names {
		names[i] = number(kinds[k]) + nbsp + printable(k)
	}
	return strings.Join(names, ", ")
}

// trust writes how far the numbers can be trusted, and why not further.
func (t *text) trust() {
	q := &t.r.Quality
	t.title("HOW SURE", "")
	t.point("%s of %s.", lossDetail(q), count(q.Events, "record"))
	if q.Resyncs > 0 {
		t.point("The kernel's map was read again %s to catch up; exact again since %s.",
			times(q.Resyncs), span(q.ExactSince))
	}
	t.point("%s", mapDetail(q, t.gone()))
	if q.Checks > 0 {
		t.point("Total size compared with the kernel's count at each of %s: %s.",
			count(q.Checks, "change"), differ(q.Mismatches))
	}
	if s := stackDetail(q); s != "" {
		t.point("%s", s)
	} else if t.pathCount() > 0 {
		t.point("All call stacks are complete, with names for all frames.")
	}
	if q.Uncertain > 0 {
		t.point("The path of %s is uncertain, since events were lost.", count(q.Uncertain, "outstanding mapping"))
	}
	if n := q.Raced; n.Count > 0 {
		t.point("The owner of %s (%s) is uncertain: threads mapped the same addresses at the same moment, "+
			"and the order in which they did is not known.", count(n.Count, "outstanding mapping"), size(n.Bytes))
	}
	if q.OrderMode == "calls" {
		t.point("Changes are in the order in which calls began and returned, not in that of the kernel's lock (%s). "+
			"It is exact unless threads change the same addresses at the same moment; what the kernel maps by "+
			"itself, such as a stack that grows, is seen only when its map is read.", printable(q.OrderWhy))
	}
	t.overhead()
	switch {
	case t.r.TailSet && t.r.Tail > 0:
		t.point("What was mapped in the last %s is listed, but no verdict counts it (--tail).", span(t.r.Tail))
	case t.r.TailSet:
		t.point("Verdicts count all of the window to its end (--tail 0): what is young may look like growth.")
	}
	for _, c := range t.r.Caveats {
		t.point("%s", printable(c))
	}
}

func (t *text) point(format string, args ...any) { t.para(plain, "  - ", format, args...) }
