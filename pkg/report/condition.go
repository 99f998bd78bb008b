package report

import (
	"fmt"
	"strings"
)

// A Condition is a comparison of a number of a report with a bound: "leaked>10M".
type Condition struct {
	text  string
	name  *quantity
	op    string
	bound float64
}

// A Finding is what a Condition found.
type Finding struct {
	// Holds says that the condition is true.
	Holds bool
	// Known says that it could be told. It could not if the value is a lower bound,
	// and what is missing would decide.
	Known bool
	Value float64
	// Text is the value with its unit: "leaked is 21.0 MiB".
	Text string
}

// A ConditionError says why a text is no Condition.
type ConditionError struct {
	Text string
	Want string // "a size for leaked, as in 10M"
	Name string // that is no quantity, if that is what is wrong
}

func (e *ConditionError) Error() string { return fmt.Sprintf("reading %q: want %s", e.Text, e.Want) }

// operators are in an order in which none hides a longer one.
var operators = []string{">=", "<=", "==", ">", "<", "="}

// ParseCondition reads NAME, an operator (>, >=, <, <=, =) and a number, with or
// without blanks between them. Sizes take K, M, G and T, which are binary, and a
// rate "/s" behind that; what is counted takes whole numbers. The error is
// a *ConditionError.
func ParseCondition(s string) (Condition, error) {
	at := strings.IndexAny(s, "<>=")
	if at < 0 {
		return Condition{}, &ConditionError{Text: s, Want: "a name, > or <, and a number, as in leaked>10M"}
	}
	c := Condition{text: s}
	rest := s[at:]
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			c.op, rest = op, rest[len(op):]
			break
		}
	}
	name := strings.TrimSpace(s[:at])
	for i := range quantities {
		if quantities[i].name == name {
			c.name = &quantities[i]
		}
	}
	if c.name == nil {
		return Condition{}, &ConditionError{Text: s, Name: name, Want: quantityNames()}
	}
	var ok bool
	if c.bound, ok = c.name.unit.parse(strings.TrimSpace(rest)); !ok {
		return Condition{}, &ConditionError{Text: s, Want: fmt.Sprintf(c.name.unit.want(), name)}
	}
	return c, nil
}

func quantityNames() string {
	names := make([]string, len(quantities))
	for i := range quantities {
		names[i] = quantities[i].name
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// String returns the condition as it was written.
func (c Condition) String() string { return c.text }

// NeedsResidence reports whether c is about what is in memory or in swap.
func (c Condition) NeedsResidence() bool {
	return c.name.name == "resident" || c.name.name == "swapped"
}

// Find looks at r.
func (c Condition) Find(r *Report) Finding {
	n, more := c.name.value(r)
	f := Finding{Value: n, Holds: c.holds(n), Text: fmt.Sprintf("%s is %s", c.name.name, c.name.unit.text(n))}
	f.Known = more == 0 || f.Holds == c.holds(n+more) && c.op != "=" && c.op != "=="
	return f
}

func (c Condition) holds(n float64) bool {
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
