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
type openers []*opener

type opener struct {
	Opener
	key string
}

// add returns the opener of a stack, new if need be.
func (s *openers) add(b *builder, id stack.ID) *opener {
	frames := b.stackOf(id)
	key := pathKey("", event.Open, frames)
	for _, o := range *s {
		if o.key == key {
			return o
		}
	}
	o := &opener{Opener{Frames: frames}, key}
	*s = append(*s, o)
	return o
}

// sorted returns them, those of most descriptors and mappings first.
func (s openers) sorted() (out []Opener) {
	slices.SortFunc(s, func(x, y *opener) int {
		return cmp.Or(cmp.Compare(y.Descriptors+y.Mappings, x.Descriptors+x.Mappings), strings.Compare(x.key, y.key))
	})
	for _, o := range s {
		out = append(out, o.Opener)
	}
	return out
}
