package export

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// suppress returns r after suppressions.
func suppress(r *report.Report, text string) *report.Report {
	list, err := report.ParseSuppressions("known\x1b.supp", text)
	if err != nil {
		panic(err)
	}
	report.Suppress(r, list)
	return r
}

// other is a leak by another function.
func other(size uint64) report.Path {
	p := placed(judged(verdict.Leak, size, neverUnmapped, verdict.Owner{}), lib("mmap"),
		stack.Frame{Function: "load_font", Module: app}, c("main", "main.c", 12))
	p.ID = "other"
	return p
}

// suppressions are all that the text has to say about them.
var suppressions = []answer{
	{"the only leak is suppressed", suppress(with(other(3)), "# known\nleak:load_font"), Options{}},
	{"one leak of two is suppressed", suppress(with(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), other(3)),
		"leak:^load_f*t\nleak:nothing\n"), Options{}},
	{"all are suppressed, and listed", suppress(with(judged(verdict.Leak, 21, neverUnmapped, verdict.Owner{}), other(3)),
		"leak:make_buffer\nleak:^main$"), Options{All: true}},
	{"a cache beside what is suppressed", suppress(with(cacheOf(2), other(3)), "leak:load_font\nleak:none"), Options{}},
	{"the only suppression is of no use", suppress(with(other(3)), "leak:\x1b]0;owned\x07"), Options{}},
	{"no suppression of two is of use", suppress(with(other(3)), "leak:a_b\nleak:c_d"), Options{}},
}

func TestSuppressed(t *testing.T) { checkAnswers(t, "testdata/suppressed.txt", suppressions) }
