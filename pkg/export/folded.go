package export

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// FoldedOptions are the options of Folded. Filter.Top is ignored.
type FoldedOptions struct {
	Filter
	// Value is what a line counts: outstanding "bytes" (also ""), mappings ("count")
	// or the outstanding bytes that are in memory ("resident").
	Value string
	// NoComm leaves out the process name, the first frame.
	NoComm bool
	// Addrs writes frames without a symbol as [lib.so+0x1234], not [lib.so].
	Addrs bool
}

// noStack stands for a call stack that was not captured.
const noStack = "[Missed User Stack]"

// FoldedValues returns the values that FoldedOptions.Value takes, the default
// first.
func FoldedValues() []string { return []string{"bytes", "count", "resident"} }

// Folded writes the outstanding mappings of r in the folded form that flame
// graph tools read, one line per stack text:
//
//	imgcache;main;handle_request;make_buffer;mmap 22020096
//
// The root comes first, the lines are in bytewise order of their stacks, and
// stacks with the same text are one line. Lines that would say 0 are left out. A
// mapping without a stack is under [Missed User Stack]. In a name ";" becomes
// ":", line breaks and tabs become blanks, and what else is not printable is
// escaped. The error wraps ErrOption if an option is unknown, ErrUnknown if the
// value is not known of any path, else it is w's.
func Folded(w io.Writer, r *report.Report, o FoldedOptions) error {
	value, err := o.value()
	if err != nil {
		return err
	}
	sel, _, err := Select(r, o.Filter.all())
	if err != nil {
		return err
	}
	if o.Value == "resident" && r.Totals.OutstandingBytes > 0 && r.Totals.Resident.Scanned == 0 {
		return fmt.Errorf("folding by resident: %w", ErrUnknown)
	}
	sums := make(map[string]uint64)
	for i := range sel.Paths {
		p := &sel.Paths[i]
		if n := value(p); n > 0 {
			sums[o.stack(p)] += n
		}
	}
	return writeFolded(w, sums, func(n uint64) string { return strconv.FormatUint(n, 10) })
}

// writeFolded writes a line for each stack in bytewise order, with what text says
// of its sum.
func writeFolded[T any](w io.Writer, sums map[string]T, text func(T) string) error {
	bw := bufio.NewWriter(w)
	for _, s := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(bw, "%s %s\n", s, text(sums[s]))
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("writing folded stacks: %w", err)
	}
	return nil
}

// value returns the function that reads a path's number.
func (o *FoldedOptions) value() (func(*report.Path) uint64, error) {
	switch o.Value {
	case "", "bytes":
		return func(p *report.Path) uint64 { return p.Bytes }, nil
	case "count":
		return func(p *report.Path) uint64 { return p.Count }, nil
	case "resident":
		return func(p *report.Path) uint64 { return p.Resident.Present }, nil
	}
	return nil, fmt.Errorf("folding by %q: %w; want one of %s",
		o.Value, ErrOption, strings.Join(FoldedValues(), ", "))
}

// stack returns the text of p's stack.
func (o *FoldedOptions) stack(p *report.Path) string {
	var names []string
	if !o.NoComm {
		names = append(names, strings.ReplaceAll(foldedName(p.Comm), " ", "_"))
	}
	if len(p.Frames) == 0 {
		names = append(names, noStack)
	}
	for i := len(p.Frames) - 1; i >= 0; i-- {
		names = append(names, foldedName(o.frame(&p.Frames[i])))
	}
	return guardDigits(strings.Join(names, ";"))
}

// frame names f. Without Addrs the offset is left out, so that stacks merge.
func (o *FoldedOptions) frame(f *stack.Frame) string {
	switch {
	case f.Function != "":
		return f.Function
	case o.Addrs:
		return label(f)
	case f.Module == "":
		return "[unknown]"
	case strings.HasPrefix(f.Module, "["):
		return f.Module
	}
	return "[" + base(f.Module) + "]"
}

// foldedName makes s fit to be one frame.
func foldedName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ';':
			return ':'
		case '\t', '\n', '\r':
			return ' '
		}
		return r
	}, valid(s))
	s = strings.Trim(printable(s), " ")
	if s == "" {
		return "[unknown]"
	}
	return s
}

// guardDigits keeps readers from taking the end of a stack for a second number:
// in "read block 12" the last blank becomes "_".
func guardDigits(s string) string {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 || !numeral(s[i+1:]) {
		return s
	}
	return s[:i] + "_" + s[i+1:]
}

// numeral reports whether s is digits, with or without a fraction.
func numeral(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	return whole != "" && digits(whole) && digits(fraction)
}
