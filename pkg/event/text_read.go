package event

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxLine bounds a line of the text form in bytes.
const maxLine = 1 << 20

// A Reader reads events in the text form, in the manner of a bufio.Scanner. It
// is not safe for concurrent use.
type Reader struct {
	lines  *bufio.Scanner
	name   string
	memory textMemory
	line   string // that was read ahead
	ahead  bool
	number int
	ev     Event
	err    error
}

// NewReader returns a Reader of r. Errors name it by name.
func NewReader(r io.Reader, name string) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	return &Reader{lines: lines, name: name}
}

// Scan reads the next event. It returns false at the end and at the first error.
func (r *Reader) Scan() bool {
	for r.err == nil && r.next() {
		line := r.line
		switch {
		case isBlank(line):
			continue
		case isIndented(line):
			r.fail(fmt.Errorf("not behind an event: %q", strings.TrimSpace(line)))
			return false
		}
		if err := r.event(line); err != nil {
			r.fail(err)
			return false
		}
		return r.regions()
	}
	return false
}

// Event returns the newest event. It is valid until the next Scan; its slices
// are the caller's.
func (r *Reader) Event() *Event { return &r.ev }

// Err returns what ended Scan; nil at the end of the input.
func (r *Reader) Err() error { return r.err }

// next moves on to the next line.
func (r *Reader) next() bool {
	if r.ahead {
		r.ahead = false
		return true
	}
	r.number++
	if r.lines.Scan() {
		r.line = r.lines.Text()
		return true
	}
	if err := r.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		r.fail(fmt.Errorf("line of more than %d bytes", maxLine))
	} else if err != nil {
		r.fail(err)
	}
	return false
}

// fail sets the error, with the place of the current line.
func (r *Reader) fail(err error) { r.err = fmt.Errorf("%s:%d: %w", r.name, r.number, err) }

// isBlank reports whether a line holds nothing but blanks and a comment.
func isBlank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

func isIndented(line string) bool { return line[0] == ' ' || line[0] == '\t' }

// regions reads the indented lines behind an event.
func (r *Reader) regions() bool {
	for r.next() {
		if isBlank(r.line) {
			continue
		}
		if !isIndented(r.line) {
			r.ahead = true
			break
		}
		reg, ok := parseRegion(strings.TrimSpace(r.line))
		if !ok {
			r.fail(fmt.Errorf("not a region: %q", strings.TrimSpace(r.line)))
			return false
		}
		r.ev.Regions = append(r.ev.Regions, reg)
	}
	r.memory.remember(&r.ev)
	return r.err == nil
}

// event reads a line that begins an event.
func (r *Reader) event(line string) error {
	tokens, err := tokenize(line)
	if err != nil {
		return err
	}
	kind := slices.Index(kindNames[:], tokens[0])
	if kind <= int(Bad) {
		return fmt.Errorf("not an event: %q", tokens[0])
	}
	r.ev = Event{Kind: Kind(kind)}
	p := lineParser{ev: &r.ev, memory: &r.memory, rest: tokens[1:]}
	if err := p.parse(); err != nil {
		return fmt.Errorf("%s: %w", r.ev.Kind, err)
	}
	return nil
}

// tokenize splits a line at blanks that are not inside quotes, and drops a
// comment. The line is not blank.
func tokenize(line string) ([]string, error) {
	var out []string
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return out, nil
		}
		n := 0
		for n < len(line) && !strings.ContainsRune(" \t\r", rune(line[n])) {
			if line[n] != '"' {
				n++
				continue
			}
			quoted, err := strconv.QuotedPrefix(line[n:])
			if err != nil {
				return nil, fmt.Errorf("quote without an end: %q", line[n:])
			}
			n += len(quoted)
		}
		out = append(out, line[:n])
		line = line[n:]
	}
}
