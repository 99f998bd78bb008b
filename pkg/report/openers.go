package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// An Opener is a call path that opened a file, leaf first.
type Opener struct {
	// Descriptors that it opened, or copies of them, are still open, and Mappings were
	// made by such.
	Descriptors, Mappings uint64
	Frames                []stack.Frame
}

// openers gathers those of one file by the key of their paths.
type openers struct {
	list []*Opener
	keys map[*Opener]string
}

// add returns the opener of a stack, new if need be.
func (s *openers) add(b *builder, id stack.ID) *Opener {
	frames := b.stackOf(id)
	key := pathKey("", event.Open, frames)
	for _, o := range s.list {
		if s.keys[o] == key {
			return o
		}
	}
	if s.keys == nil {
		s.keys = make(map[*Opener]string)
	}
	o := &Opener{Frames: frames}
	s.keys[o] = key
	s.list = append(s.list, o)
	return o
}

// sorted returns them, those of most descriptors and mappings first.
func (s *openers) sorted() (out []Opener) {
	slices.SortFunc(s.list, func(x, y *Opener) int {
		return cmp.Or(cmp.Compare(y.Descriptors+y.Mappings, x.Descriptors+x.Mappings), strings.Compare(s.keys[x], s.keys[y]))
	})
	for _, o := range s.list {
		out = append(out, *o)
	}
	return out
}
