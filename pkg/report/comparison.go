package report

import (
	"fmt"
	"strings"
)

// A comparison is what a text such as "leaked>10M" says about a number.
type comparison struct {
	text  string
	op    string
	bound float64
}

// A named is something that a comparison may name.
type named struct {
	name string
	unit unit
}

// operators are in an order in which none hides a longer one.
var operators = []string{">=", "<=", "==", ">", "<", "="}

// parseComparison reads a name, an operator and a number, and returns which of names
// it is about. For errors, which are *ConditionError, example is one that is right.
func parseComparison(s string, names []named, example string) (c comparison, which int, err error) {
	at := strings.IndexAny(s, "<>=")
	if at < 0 {
		return c, 0, &ConditionError{Text: s, Want: "a name, > or <, and a number, as in " + example}
	}
	c.text = s
	rest := s[at:]
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			c.op, rest = op, rest[len(op):]
			break
		}
	}
	name := strings.TrimSpace(s[:at])
	which = -1
	for i := range names {
		if names[i].name == name {
			which = i
		}
	}
	if which < 0 {
		return c, 0, &ConditionError{Text: s, Name: name, Want: orNames(names)}
	}
	var ok bool
	unit := names[which].unit
	if c.bound, ok = unit.parse(strings.TrimSpace(rest)); !ok {
		return c, 0, &ConditionError{Text: s, Want: fmt.Sprintf(unit.want(), name)}
	}
	return c, which, nil
}

func orNames(list []named) string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].name
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// String returns the comparison as it was written.
func (c comparison) String() string { return c.text }

func (c comparison) holds(n float64) bool {
	switch c.op {
	case ">":
		return n > c.bound
	case ">=":
		return n >= c.bound
	case "<":
		return n < c.bound
	case "<=":
		return n <= c.bound
	}
	return n == c.bound
}
