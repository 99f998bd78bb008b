package export

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable returns s with every control character, every other character
// without a shape of its own and every byte that is not UTF-8 written as in Go
// source: \n, \x1b, \u202e. The only white space left is the blank. Names come
// from the traced process, which may want to write to the reader's terminal.
func printable(s string) string {
	return escape(s, func(r rune) bool { return unicode.IsPrint(r) })
}

// valid returns s with every byte that is not UTF-8 written as \xNN.
func valid(s string) string {
	return escape(s, func(rune) bool { return true })
}

// escape returns s with all characters but those that keep accepts escaped.
func escape(s string, keep func(rune) bool) string {
	if clean(s, keep) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case keep(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

func clean(s string, keep func(rune) bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !keep(r) {
			return false
		}
	}
	return true
}
