package export

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// halved returns p with so many MiB half-way.
func halved(p report.Path, size uint64) report.Path {
	p.Half = report.Amount{Bytes: size * mib, Count: size}
	return p
}

// middle returns a report on paths of which it is known what was half-way, and on
// released ones.
func middle(released []report.Path, paths ...report.Path) *report.Report {
	r := with(paths...)
	r.HalfTime, r.Released = 15*sec, released
	for _, list := range [][]report.Path{paths, released} {
		for _, p := range list {
			r.Totals.Half.Add(p.Half)
		}
	}
	return r
}

func cacheOf(size uint64) report.Path {
	return judged(verdict.Cache, size, "It grew and stopped: no new mapping in the last 20.0 s.", verdict.Owner{})
}

// halves are all that the text has to say about the halves of a window.
var halves = []answer{
	{"a leak grows in both", middle(nil, halved(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), 10)), Options{}},
	{"a cache in the first, and something is gone again", middle(released()[:1], halved(cacheOf(64), 64),
		halved(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), 10)), Options{}},
	{"what shrank comes last, and what is gone after the window's middle", middle([]report.Path{halved(released()[0], 7), released()[1]},
		halved(cacheOf(4), 9), halved(cacheOf(3), 0)), Options{}},
	{"many paths", middle(nil, halved(cacheOf(64), 64), halved(cacheOf(7), 6), halved(cacheOf(6), 4), halved(cacheOf(5), 2),
		halved(cacheOf(4), 1), halved(cacheOf(3), 3), halved(cacheOf(2), 3)), Options{}},
	{"many paths, all listed", middle(nil, halved(cacheOf(64), 64), halved(cacheOf(7), 6), halved(cacheOf(6), 4), halved(cacheOf(5), 2),
		halved(cacheOf(4), 1), halved(cacheOf(3), 3), halved(cacheOf(2), 3)), Options{All: true}},
	{"nothing was there", middle(nil), Options{}},
}

// sectionOf returns the section of a text that begins with a title.
func sectionOf(text, title string) string {
	_, rest, ok := strings.Cut(text, "\n"+title+"\n")
	if !ok {
		return "(no section)\n"
	}
	var out strings.Builder
	out.WriteString(title + "\n")
	blanks := 0
	for line := range strings.Lines(rest) {
		if line == "\n" {
			blanks++
		} else if blanks > 0 && line == strings.ToUpper(line) && line[0] >= 'A' && line[0] <= 'Z' { // the next title
			break
		}
		out.WriteString(line)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// checkSections compares a section of each answer with a file.
func checkSections(t *testing.T, file, title string, answers []answer) {
	t.Helper()
	var b strings.Builder
	for _, a := range answers {
		b.WriteString("===== " + a.name + "\n" + sectionOf(output(t, "x.txt", a.report, a.opts), title))
		checkWidth(t, a.name, a.report, a.opts)
	}
	checkFile(t, file, b.String())
}

func TestHalves(t *testing.T) { checkSections(t, "testdata/halves.txt", "TWO HALVES", halves) }

// The stacks of a differential file are those that Folded writes, with the same
// numbers at the end of the window.
func TestFoldedDiffEndsAsFolded(t *testing.T) {
	want, got := make(map[string]string), make(map[string]string)
	for line := range strings.Lines(output(t, "x.folded", rich(), Options{})) {
		m := flamegraphLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		want[m[1]] = m[2]
	}
	for line := range strings.Lines(output(t, "x.diff.folded", rich(), Options{})) {
		if stack, _, after := diffLine(t, strings.TrimSuffix(line, "\n")); after > 0 {
			got[stack] = strconv.FormatUint(after, 10)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stacks at the end (-folded +diff):\n%s", diff)
	}
}
