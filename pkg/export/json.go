package export

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// JSONSchemaName is the value of the member "schema" of a JSON report. Within v1
// members are only added; readers ignore those that they do not know.
const JSONSchemaName = "mmtrace.report/v1"

//go:embed schema/report.v1.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of what JSON writes. The caller
// owns the bytes.
func Schema() []byte { return bytes.Clone(schema) }

// JSONOptions are the options of JSON. Filter.Top is ignored: programs get every
// path that MinSize, MaxSize and Older let through, and the member "selection"
// says how much was left out.
type JSONOptions struct {
	Filter
}

// JSON writes r as one indented object for programs. Sizes are bytes and times
// nanoseconds, as numbers that never exceed 2^53-1 (larger ones are written as
// that); addresses and offsets are strings in hexadecimal, moments RFC 3339 in
// UTC. Lists are never null. Bytes of a name that are not UTF-8 are written as
// \xNN, and characters without a shape as JSON escapes, so that the text is safe
// to show. The error wraps ErrOption if o.Sort is unknown, else it is w's.
func JSON(w io.Writer, r *report.Report, o JSONOptions) error {
	sel, left, err := Select(r, o.Filter.all())
	if err != nil {
		return err
	}
	return writeReport(w, jsonReportOf(sel, left, &o), sel.Paths)
}

// writeReport writes j with the given paths in it, one after the other: all their
// mappings together may be a million, and their text a gigabyte.
func writeReport(w io.Writer, j *jsonReport, paths []report.Path) error {
	const member = "\n  \"paths\": ["
	text, err := encodeJSON(j, "")
	if err != nil {
		return fmt.Errorf("encoding the JSON report: %w", err)
	}
	before, after, _ := bytes.Cut(text, []byte(member)) // no string holds a line break
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.Write(before) // Flush returns the first error
	_, _ = out.WriteString(member)
	const inner = "    "
	for i := range paths {
		b, err := encodeJSON(jsonPathOf(&paths[i]), inner)
		if err != nil {
			return fmt.Errorf("encoding the JSON report: %w", err)
		}
		if i > 0 {
			_ = out.WriteByte(',')
		}
		_, _ = out.WriteString("\n" + inner)
		_, _ = out.Write(bytes.TrimSuffix(b, []byte("\n")))
	}
	if len(paths) > 0 {
		_, _ = out.WriteString("\n  ")
	}
	_, _ = out.Write(after)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the JSON report: %w", err)
	}
	return nil
}

// writeJSON writes v, which an error calls what, as indented text that is safe to
// show.
func writeJSON(w io.Writer, what string, v any) error {
	b, err := encodeJSON(v, "")
	if err != nil {
		return fmt.Errorf("encoding the JSON %s: %w", what, err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the JSON %s: %w", what, err)
	}
	return nil
}

// encodeJSON returns v as indented text that is safe to show, with prefix before
// each line but the first.
func encodeJSON(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return showable(b.Bytes()), nil
}

// showable returns the JSON text b with every character that has no shape of
// its own escaped, other than line breaks. Outside of strings JSON has none.
func showable(b []byte) []byte {
	if !slices.ContainsFunc(b, func(c byte) bool { return c != '\n' && (c < ' ' || c > '~') }) {
		return b
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = append(out, b[:n]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out
}
