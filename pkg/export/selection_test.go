package export

import (
	"regexp"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

func patterns(list ...string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, s := range list {
		out = append(out, regexp.MustCompile(s))
	}
	return out
}

// leaks is a report on two leaks and a cache, of functions of their own.
func leaks() *report.Report {
	cached := cacheOf(2)
	cached.Frames = other(1).Frames
	return with(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), other(3), cached)
}

// selections are all that the text has to say about patterns.
var selections = []answer{
	{"one path is excluded", leaks(), Options{Filter: Filter{Exclude: patterns("^load_cache$")}}},
	{"the listed ones are included", leaks(), Options{Filter: Filter{Include: patterns("^load_cache$", "^server[.]c")}}},
	{"both, and a size", leaks(), Options{Filter: Filter{Include: patterns("load_"), Exclude: patterns("make_"), MinSize: 3 * mib}}},
	{"nothing is left", leaks(), Options{Filter: Filter{Exclude: patterns("libc[.]so")}}},
	{"all paths are listed", leaks(), Options{Filter: Filter{Exclude: patterns("load_font")}, All: true}},
}

func TestSelections(t *testing.T) {
	checkAnswers(t, "testdata/selections.txt", selections)
	checkSections(t, "testdata/selections-totals.txt", "TOTALS", selections)
}

// tails are all that the text has to say about the tail of a window.
var tails = []answer{
	{"the usual one", plainLeak(), Options{}},
	{"five seconds", changed(plainLeak(), func(r *report.Report) { r.Tail, r.TailSet = 5*sec, true }), Options{}},
	{"none", changed(plainLeak(), func(r *report.Report) { r.TailSet = true }), Options{}},
}

func TestTails(t *testing.T) { checkSections(t, "testdata/tails.txt", "HOW SURE", tails) }
