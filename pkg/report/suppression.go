package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A Suppression names call paths of which it is known that they look like leaks.
// Its form is that of LeakSanitizer's suppression files.
type Suppression struct {
	// Text is how it is written: "leak:load_image". It comes from line Line of File.
	Text string
	File string
	Line int

	parts []string // see partsOf
}

// A SuppressionError says what is wrong with a line of a file of suppressions.
type SuppressionError struct {
	File string
	Line int
	Text string // of the line
	Want string // "leak:PATTERN"
}

func (e *SuppressionError) Error() string {
	return fmt.Sprintf("%s:%d: want %s, got %q", e.File, e.Line, e.Want, e.Text)
}

const suppressionType = "leak:"

// ParseSuppressions reads the text of a file of suppressions, one a line:
//
//	# a comment
//	leak:load_image
//	leak:^/opt/vendor/*/libfoo.so
//
// A pattern is looked for anywhere in a name; ^ at its begin and $ at its end
// stand for those of the name, and * for anything. Elsewhere ^ and $ are characters
// like others. Blanks around a line do not count. The error is a *SuppressionError about the first line that is wrong.
func ParseSuppressions(file, text string) ([]Suppression, error) {
	var list []Suppression
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, ok := strings.CutPrefix(line, suppressionType)
		if !ok {
			return nil, &SuppressionError{file, n, line, "leak:PATTERN or a comment that begins with #"}
		}
		if strings.Trim(pattern, "^*$") == "" {
			return nil, &SuppressionError{file, n, line, "a pattern that does not match everything"}
		}
		list = append(list, Suppression{line, file, n, partsOf(pattern)})
	}
	return list, nil
}

// partsOf takes a pattern apart: a name matches if it begins with the first part,
// ends with the last, and has the others in between, in this order.
func partsOf(pattern string) []string {
	pattern, begin := strings.CutPrefix(pattern, "^")
	pattern, end := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	if !begin {
		parts = append([]string{""}, parts...)
	}
	if !end {
		parts = append(parts, "")
	}
	return parts
}

// match reports whether name is one that s is about.
func (s *Suppression) match(name string) bool {
	last := len(s.parts) - 1
	if last == 0 {
		return name == s.parts[0]
	}
	name, ok := strings.CutPrefix(name, s.parts[0])
	for _, part := range s.parts[1:last] { // each where it comes first: that leaves most for the others
		if ok {
			_, name, ok = strings.Cut(name, part)
		}
	}
	return ok && strings.HasSuffix(name, s.parts[last])
}

// Matches reports whether a frame has a name that s matches: that of its function,
// its module or its source file, of which the last two count with and without
// their directories.
func (s *Suppression) Matches(frames []stack.Frame) bool {
	for i := range frames {
		if slices.ContainsFunc(frames[i].Names(), s.match) {
			return true
		}
	}
	return false
}
