package event

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Writer writes events in the text form, with defaults left out. It is not
// safe for concurrent use.
type Writer struct {
	w      *bufio.Writer
	memory textMemory
	line   []byte
}

// NewWriter returns a Writer to w. Flush must be called at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{w: bufio.NewWriter(w)} }

// Event writes ev. The first error of the output stays.
func (w *Writer) Event(ev *Event) error {
	w.line = w.memory.append(w.line[:0], ev)
	if _, err := w.w.Write(w.line); err != nil {
		return fmt.Errorf("writing event %s: %w", ev.Kind, err)
	}
	return nil
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("writing events: %w", err)
	}
	return nil
}

// AppendText adds ev to dst in the text form, as the first event of a trace.
func AppendText(dst []byte, ev *Event) []byte {
	return new(textMemory).append(dst, ev)
}

// append adds the lines of ev and remembers it. What has no form becomes a
// comment.
func (m *textMemory) append(dst []byte, ev *Event) []byte {
	if !ev.Kind.Recorded() {
		return fmt.Appendf(dst, "# an event of kind %d\n", uint8(ev.Kind))
	}
	dst = append(dst, ev.Kind.String()...)
	dst = appendOperands(dst, ev)
	if ev.Ret != 0 && !hasResult(ev) {
		dst = appendResult(append(dst, " = "...), ev.Ret)
	}
	for _, f := range fieldsOf(ev) {
		v := ev.slot(f.slot)
		var def uint64
		if f.def != nil {
			def = f.def(m, ev)
		}
		if v != def {
			dst = f.form.append(appendKey(dst, f.key), v)
		}
	}
	dst = appendRest(dst, ev)
	dst = append(dst, '\n')
	for i := range ev.Regions {
		dst = appendRegionLine(dst, &ev.Regions[i])
	}
	m.remember(ev)
	return dst
}

func appendKey(dst []byte, key string) []byte {
	return append(append(append(dst, ' '), key...), '=')
}

func appendOperands(dst []byte, ev *Event) []byte {
	o := &kindOperands[ev.Kind]
	for i, s := range o.of(ev) {
		switch {
		case o.shape == shapeStack:
			dst = idForm.append(append(dst, ' '), uint64(ev.Stack))
			for _, pc := range ev.Frames {
				dst = hex.append(append(dst, ' '), pc)
			}
			return dst
		case i == 0:
			dst = append(dst, ' ')
		case o.shape == shapeBreak, i == 2:
			dst = append(dst, " -> "...)
		default:
			dst = append(dst, '+')
		}
		dst = hex.append(dst, ev.slot(s))
	}
	return dst
}

// appendResult writes a result, an error number by its name.
func appendResult(dst []byte, ret int64) []byte {
	if ret >= 0 || ret < -4095 {
		return strconv.AppendInt(dst, ret, 10)
	}
	name := errnoForm.append(nil, uint64(-ret))
	if name[0] != 'E' {
		dst = append(dst, '-')
	}
	return append(dst, name...)
}

// appendRest adds what is no single number.
func appendRest(dst []byte, ev *Event) []byte {
	if ev.Parent != 0 || ev.ParentSeq != 0 {
		dst = strconv.AppendUint(appendKey(dst, "parent"), uint64(ev.Parent), 10)
		if ev.ParentSeq != 0 {
			dst = strconv.AppendUint(append(dst, '@'), ev.ParentSeq, 10)
		}
	}
	if ev.Name != "" {
		dst = appendKey(dst, "comm")
		if strings.ContainsAny(ev.Name, " #") {
			dst = strconv.AppendQuote(dst, ev.Name)
		} else {
			dst = appendName(dst, ev.Name)
		}
	}
	if ev.Kind != StackDef {
		for i, pc := range ev.Frames {
			if i == 0 {
				dst = appendKey(dst, "frames")
			} else {
				dst = append(dst, ',')
			}
			dst = hex.append(dst, pc)
		}
	}
	return dst
}

// appendName writes s as it is if it can be read back so, else quoted.
func appendName(dst []byte, s string) []byte {
	plain := utf8.ValidString(s) && s != "" && s == strings.TrimSpace(s) && !strings.Contains(s, `"`)
	for _, r := range s {
		plain = plain && unicode.IsPrint(r)
	}
	if plain {
		return append(dst, s...)
	}
	return strconv.AppendQuote(dst, s)
}

// appendRegionLine writes r as /proc/PID/maps does, but for the names.
func appendRegionLine(dst []byte, r *Region) []byte {
	dst = fmt.Appendf(dst, "  %08x-%08x ", r.Start, r.End)
	if r.Prot > ProtRead|ProtWrite|ProtExec {
		dst = hex.append(dst, uint64(r.Prot))
	} else {
		for i, c := range []byte("rwx") {
			if r.Prot>>i&1 == 0 {
				c = '-'
			}
			dst = append(dst, c)
		}
	}
	if r.Shared {
		dst = append(dst, 's')
	} else {
		dst = append(dst, 'p')
	}
	if r.Offset != 0 || r.Dev != 0 || r.Inode != 0 || r.Path != "" {
		dst = fmt.Appendf(dst, " %08x %02x:%02x %d", r.Offset, r.Dev>>32, r.Dev&(1<<32-1), r.Inode)
	}
	if r.Path != "" {
		dst = appendName(append(dst, ' '), r.Path)
	}
	return append(dst, '\n')
}
