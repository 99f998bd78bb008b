package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// readSuppressions reads the files of --suppressions, before a window is spent.
func (o *options) readSuppressions() error {
	for _, path := range o.suppFiles.words {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, bareCause(err))
		}
		list, err := report.ParseSuppressions(path, string(text))
		var bad *report.SuppressionError
		if errors.As(err, &bad) {
			return &usageError{msg: bad.Error(), advice: []advice{{"try:", "a line such as leak:load_image or leak:^libfoo*.so"}}}
		}
		o.suppressed = append(o.suppressed, list...)
	}
	return nil
}

// suppress keeps what was said to be no leak from counting as one in r.
func (o *options) suppress(r *report.Report) { report.Suppress(r, o.suppressed) }

// noteUnused tells with -v which suppressions match nothing in r.
func (o *options) noteUnused(r *report.Report, note func(format string, args ...any)) {
	if o.verbose == 0 {
		return
	}
	for i := range r.Suppressed {
		if s := &r.Suppressed[i]; s.Paths == 0 {
			note("mmtrace: %s: %s matches no call path", printable(s.Place()), printable(s.Text))
		}
	}
}
