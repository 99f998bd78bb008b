package main

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A patternsValue collects regular expressions, one a flag.
type patternsValue []*regexp.Regexp

func (v *patternsValue) Set(s string) error {
	if s == "" {
		return &wantError{want: "a regular expression for a function, module or file"}
	}
	p, err := regexp.Compile(s)
	if err != nil {
		return &wantError{want: "a regular expression" + cause(err), mean: patternMeant(s)}
	}
	*v = append(*v, p)
	return nil
}

// cause says in brackets what is wrong with an expression.
func cause(err error) string {
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return " (" + bad.Code.String() + ")"
	}
	return ""
}

// patternMeant returns the expression for what may be a pattern of a shell, or for
// the bare text.
func patternMeant(s string) string {
	if p := strings.Trim(s, "*"); p != "" && p == regexp.QuoteMeta(p) {
		return p
	}
	return regexp.QuoteMeta(s)
}

func (v *patternsValue) String() string {
	words := make([]string, len(*v))
	for i, p := range *v {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}

func (*patternsValue) Type() string { return "PATTERN" }

// A tailValue is a part of a window: 10%, or a time.
type tailValue struct {
	verdict.Tail
	text string
}

func (v *tailValue) Set(s string) error {
	bad := &wantError{want: "a part of the window such as 10% or 5s"}
	if num, ok := strings.CutSuffix(s, "%"); ok {
		f, err := strconv.ParseFloat(num, 64)
		if err != nil || !(f >= 0 && f < 100) {
			return bad
		}
		*v = tailValue{verdict.Tail{Set: true, Share: f / 100}, s}
		return nil
	}
	var d durationValue
	if d.Set(s) != nil {
		return bad
	}
	*v = tailValue{verdict.Tail{Set: true, Time: event.Time(d)}, s}
	return nil
}

func (v *tailValue) String() string { return v.text }
func (*tailValue) Type() string     { return "TIME" }

// checkTail checks that something is left of the window.
func (o *options) checkTail() error {
	traces := len(o.pids)+len(o.names.words)+len(o.command) > 0 // a recording has a window of its own
	if t, d := time.Duration(o.tail.Time), time.Duration(o.duration); traces && d > 0 && t >= d {
		return &usageError{msg: fmt.Sprintf("--tail %s leaves nothing of a window of %s", &o.tail, &o.duration)}
	}
	return nil
}
