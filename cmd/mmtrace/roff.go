package main

import (
	"fmt"
	"strings"
)

// A roff writes a manual page in the man(7) macros, which man-db and mandoc both
// know. Texts are plain; it escapes what the formatter would take for its own.
type roff struct{ strings.Builder }

// escapes keep characters as they are: an unescaped hyphen or quote may be set
// as a typographic one, which a shell does not take.
var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// plain returns text so that it is printed as it is, wherever in a line it is.
func plain(text string) string { return escapes.Replace(text) }

func bold(text string) string { return `\fB` + plain(text) + `\fR` }

func italic(text string) string { return `\fI` + plain(text) + `\fR` }

// quoted returns text as one argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(plain(text), `"`, `\(dq`) + `"` }

func (r *roff) macro(name string, args ...string) {
	fmt.Fprintln(r, strings.Join(append([]string{"." + name}, args...), " "))
}

func (r *roff) section(name string) { r.macro("SH", quoted(strings.ToUpper(name))) }

func (r *roff) subsection(name string) { r.macro("SS", quoted(name)) }

// text writes lines that are filled; a line must not begin with a control
// character.
func (r *roff) text(lines string) {
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		r.line(plain(strings.TrimSpace(line)))
	}
}

func (r *roff) line(escaped string) {
	if strings.HasPrefix(escaped, ".") {
		escaped = `\&` + escaped
	}
	fmt.Fprintln(r, escaped)
}

// item writes a term, already escaped, and its text below it.
func (r *roff) item(term, text string) {
	r.macro("TP")
	r.line(term)
	r.text(text)
}

// code writes lines as they are, indented.
func (r *roff) code(lines string) {
	r.macro("PP")
	r.macro("RS", "4")
	r.macro("EX")
	r.text(lines)
	r.macro("EE")
	r.macro("RE")
}
