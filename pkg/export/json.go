package export

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
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
	return writeJSON(w, "report", jsonReportOf(sel, left, &o))
}

// writeJSON writes v, which an error calls what, as indented text that is safe to
// show.
func writeJSON(w io.Writer, what string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encoding the JSON %s: %w", what, err)
	}
	if _, err := w.Write(showable(b.Bytes())); err != nil {
		return fmt.Errorf("writing the JSON %s: %w", what, err)
	}
	return nil
}

// showable returns the JSON text b with every character that has no shape of
// its own escaped, other than line breaks. Outside of strings JSON has none.
func showable(b []byte) []byte {
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
