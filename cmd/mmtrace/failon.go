package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// A conditionsValue collects conditions on a report, one a flag.
type conditionsValue []report.Condition

func (v *conditionsValue) Set(s string) error {
	c, err := report.ParseCondition(s)
	var bad *report.ConditionError
	if errors.As(err, &bad) {
		return &wantError{want: bad.Want, mean: quantityMeant(bad, report.Quantities())}
	}
	*v = append(*v, c)
	return nil
}

// quantityMeant returns the condition with the name that may have been meant.
func quantityMeant(e *report.ConditionError, known [][2]string) string {
	var names []string
	for _, q := range known {
		names = append(names, q[0])
	}
	if name := closest(e.Name, names); e.Name != "" && name != "" {
		return strings.Replace(e.Text, e.Name, name, 1)
	}
	return ""
}

func (v *conditionsValue) String() string {
	words := make([]string, len(*v))
	for i, c := range *v {
		words[i] = c.String()
	}
	return strings.Join(words, " ")
}

func (*conditionsValue) Type() string { return "EXPR" }

// checkResident checks that nothing asks for what --no-resident leaves out.
func (o *options) checkResident() error {
	if !o.noResident {
		return nil
	}
	for _, c := range o.failOn {
		if c.NeedsResidence() {
			return &usageError{msg: fmt.Sprintf("--no-resident and --fail-on %s exclude each other", shellQuote(c.String()))}
		}
	}
	switch resident := "resident"; resident {
	case o.sort.word:
		return &usageError{msg: "--no-resident and --sort resident exclude each other"}
	case o.foldedValue.word:
		return &usageError{msg: "--no-resident and --folded-value resident exclude each other"}
	}
	return nil
}

// verdict returns the exit code that a report means, and tells w why if it is one
// of --fail-on.
func (o *options) verdict(r *report.Report, w io.Writer) int {
	exit := exitOK
	q := r.Quality
	if o.strict && (q.Lost+q.Missed+q.MapFull > 0 || !q.Verified || q.ExtraBytes+q.UnexplainedBytes > 0) {
		exit = exitIncomplete
	}
	for _, c := range o.failOn {
		switch f := c.Find(r); {
		case !f.Known:
			fmt.Fprintf(w, "mmtrace: --fail-on %s cannot be told: %s\n",
				shellQuote(c.String()), f.Text)
			if exit == exitOK {
				exit = exitFailure
			}
		case f.Holds:
			fmt.Fprintf(w, "mmtrace: --fail-on %s: %s\n", shellQuote(c.String()), f.Text)
			exit = exitFailOn
		}
	}
	return exit
}
