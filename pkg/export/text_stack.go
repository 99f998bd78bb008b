package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// mark stands before the frame to look at first; unmarked is as wide.
const (
	mark     = "-> "
	unmarked = "   "
)

// nameLimit bounds the column of names, so that one long name does not push the
// rest of the stack aside.
const nameLimit = 40

// A row is one frame as it is printed.
type row struct{ name, module, source string }

// stack writes frames, leaf first, indented by indent columns, in three columns
// where they fit:
//
//	   mmap          libc.so.6
//	-> make_buffer   imgcache    cache.c:118
func (t *text) stack(indent int, frames []stack.Frame) {
	pad := strings.Repeat(" ", indent)
	if len(frames) == 0 {
		t.line(dim, pad+unmarked+"(no call stack was captured)")
		return
	}
	rows, nameW, moduleW := t.rows(frames)
	first := blame(frames)
	for i, r := range rows {
		m, s := unmarked, plain
		switch {
		case i == first:
			m, s = mark, bold
		case i < first && first < len(frames):
			s = dim
		}
		place := padTo(r.module, moduleW) + "  " + r.source
		if r.module == "" && r.source == "" {
			place = ""
		}
		t.row(s, pad+m, r.name, strings.TrimRight(place, " "), nameW)
	}
}

// rows returns the texts of frames and the widths of the first two columns.
func (t *text) rows(frames []stack.Frame) (rows []row, nameW, moduleW int) {
	for i := range frames {
		r := t.frame(&frames[i])
		rows = append(rows, r)
		if n := columns(r.name); n <= nameLimit {
			nameW = max(nameW, n)
		}
		if n := columns(r.module); n <= nameLimit/2 {
			moduleW = max(moduleW, n)
		}
	}
	return rows, nameW, moduleW
}

// frame returns the texts of f.
func (t *text) frame(f *stack.Frame) row {
	r := row{name: label(f)}
	if f.Inlined {
		r.name += " (inlined)"
	}
	if f.Guessed {
		r.name += " (guessed)"
	}
	module, source := f.Module, f.File
	if !t.o.FullNames {
		module, source = base(module), base(source)
	}
	if f.Function != "" {
		r.module = printable(module)
	}
	if f.File != "" {
		r.source = printable(source)
		if f.Line > 0 {
			r.source += fmt.Sprintf(":%d", f.Line)
		}
	}
	return r
}

// row writes a name and its place on one line, or the place on a line of its own
// if they do not fit.
func (t *text) row(s style, first, name, place string, nameW int) {
	left := columns(first)
	if l := first + padTo(name, nameW) + "  " + place; columns(name) <= nameW && columns(strings.TrimRight(l, " ")) <= t.width {
		t.line(s, l)
		return
	}
	t.wrapped(s, first, left+2, name)
	if place == "" {
		return
	}
	indent := left + nameW + 2
	if indent+columns(place) > t.width {
		indent = left + 4
		place = strings.Join(strings.Fields(place), " ")
	}
	t.wrapped(s, strings.Repeat(" ", indent), indent, place)
}
