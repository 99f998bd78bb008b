package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

const pipedWidth = 80 // columns of a text that no terminal shows

// streams are the three standard streams of a run.
type streams struct {
	in       io.Reader
	out, err stream
}

// A stream is one output and what is known of who reads it.
type stream struct {
	io.Writer
	tty    bool
	width  int  // columns
	colour bool // if --color=auto
}

// newStreams looks at where the outputs go. getenv is os.Getenv.
func newStreams(in io.Reader, out, err io.Writer, getenv func(string) string) streams {
	return streams{in, newStream(out, getenv), newStream(err, getenv)}
}

func newStream(w io.Writer, getenv func(string) string) stream {
	s := stream{Writer: w, width: pipedWidth}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.tty = true
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
			s.width = cols
		}
	}
	if cols, err := strconv.Atoi(getenv("COLUMNS")); err == nil && cols > 0 {
		s.width = cols
	}
	s.colour = autoColour(s.tty, getenv)
	return s
}

// autoColour decides on colour as no-color.org and bixense.com/clicolors have
// it: NO_COLOR wins, then CLICOLOR_FORCE, then the terminal.
func autoColour(tty bool, getenv func(string) string) bool {
	switch force := getenv("CLICOLOR_FORCE"); {
	case getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	return tty && getenv("TERM") != "dumb"
}

// useColour decides on colour for a stream, given --color.
func (s stream) useColour(mode string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return s.colour
}

// oneLine returns a name, printable and on one line.
func oneLine(name string) string {
	return strings.ReplaceAll(printable(name), "\n", `\n`)
}

// printable returns text with everything that a terminal would act on, and all
// that is no UTF-8, written as in Go source. Lines stay lines.
func printable(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == '\n' || unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(text[i : i+n])
		} else {
			q := strconv.Quote(text[i : i+n])
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}
