package report

import "fmt"

// A Condition is a comparison of a number of a report with a bound: "leaked>10M".
type Condition struct {
	comparison
	name *quantity
}

// A Finding is what a Condition found.
type Finding struct {
	// Holds says that the condition is true.
	Holds bool
	// Known says that it could be told. It could not if the value is a lower bound,
	// and what is missing would decide.
	Known bool
	Value float64
	// Text is the value with its unit, and if it is not Known why: "leaked is 21.0 MiB".
	Text string
}

// A ConditionError says why a text is no Condition.
type ConditionError struct {
	Text string
	Want string // "a size for leaked, as in 10M"
	Name string // that is no quantity, if that is what is wrong
}

func (e *ConditionError) Error() string { return fmt.Sprintf("reading %q: want %s", e.Text, e.Want) }

// ParseCondition reads NAME, an operator (>, >=, <, <=, =) and a number, with or
// without blanks between them. Sizes take K, M, G and T, which are binary, and a
// rate "/s" behind that; what is counted takes whole numbers. The error is
// a *ConditionError.
func ParseCondition(s string) (Condition, error) {
	names := make([]named, len(quantities))
	for i, q := range quantities {
		names[i] = named{q.name, q.unit}
	}
	c, at, err := parseComparison(s, names, "leaked>10M")
	if err != nil {
		return Condition{}, err
	}
	return Condition{c, &quantities[at]}, nil
}

// NeedsResidence reports whether c is about what is in memory or in swap.
func (c Condition) NeedsResidence() bool {
	return c.name.missing == noResidence
}

// Find looks at r.
func (c Condition) Find(r *Report) Finding {
	n, more := c.name.value(r)
	f := Finding{Value: n, Holds: c.holds(n), Text: fmt.Sprintf("%s is %s", c.name.name, c.name.unit.text(n))}
	if f.Known = more == 0 || f.Holds == c.holds(n+more) && c.op != "=" && c.op != "=="; !f.Known {
		f.Text += ", and " + c.name.missing
	}
	return f
}
