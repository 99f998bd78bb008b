package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// DefaultWidth is the line length of a text report that goes to no terminal.
const DefaultWidth = 80

// minWidth is the narrowest page: below it wrapping helps nobody.
const minWidth = 64

// A style is how a piece of a line is shown on a terminal.
type style string

const (
	plain style = ""
	bold  style = "\x1b[1m"
	dim   style = "\x1b[2m"
	alert style = "\x1b[33m"
	bad   style = "\x1b[1;31m"
)

const reset = "\x1b[0m"

// A page writes lines of at most width columns. Its writer keeps the first
// error, which close returns.
type page struct {
	w     *bufio.Writer
	width int
	color bool
}

func newPage(w io.Writer, o *TextOptions) *page {
	width := o.Width
	if width <= 0 {
		width = DefaultWidth
	}
	return &page{bufio.NewWriter(w), max(width, minWidth), o.Color}
}

func (p *page) close() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("writing the text report: %w", err)
	}
	return nil
}

// line writes text as one line.
func (p *page) line(s style, text string) {
	text = strings.ReplaceAll(strings.TrimRight(text, " "), nbsp, " ")
	if p.color && s != plain && text != "" {
		text = string(s) + text + reset
	}
	p.w.WriteString(text)
	p.w.WriteByte('\n')
}

// blank writes an empty line.
func (p *page) blank() { p.line(plain, "") }

// title begins a section, with a line that explains it unless note is empty.
func (p *page) title(name, note string) {
	p.blank()
	p.line(bold, name)
	if note != "" {
		p.para(dim, "", "%s", note)
	}
}

// para writes text behind first, broken at blanks; the lines after the first are
// indented as deep as the text of the first one. A word that is longer than a
// line is not cut.
func (p *page) para(s style, first, format string, args ...any) {
	p.wrapped(s, first, columns(first), fmt.Sprintf(format, args...))
}

// wrapped is para with the indentation of the later lines given.
func (p *page) wrapped(s style, first string, indent int, text string) {
	pad := strings.Repeat(" ", indent)
	for i, l := range wrap(text, p.width-max(indent, columns(first))) {
		if i == 0 {
			p.line(s, first+l)
		} else {
			p.line(s, pad+l)
		}
	}
}

// wrap breaks text at blanks into lines of at most width columns; words that are
// longer have a line of their own. A text that fits is not touched.
func wrap(text string, width int) []string {
	if columns(text) <= width {
		return []string{text}
	}
	var lines []string
	var line string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// columns returns how wide s is on a terminal, taking every character for one
// column.
func columns(s string) int { return utf8.RuneCountInString(s) }

// padTo returns s filled with blanks to n columns.
func padTo(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// rightTo returns s behind blanks, n columns wide.
func rightTo(s string, n int) string {
	return strings.Repeat(" ", max(0, n-columns(s))) + s
}
