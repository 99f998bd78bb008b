package symbol

import (
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A Location is a place in code that can be named later, when the space has
// changed or is gone.
type Location struct {
	space  *Space
	module *Module
	addr   uint64
	offset uint64 // in the module's file
	frame  stack.Frame
	exec   bool
}

// Locate is the quick half of Resolve: it finds the file of pc without reading
// it.
func (sp *Space) Locate(pc uint64, call bool) Location {
	addr := pc
	if call && addr > 0 {
		addr--
	}
	l := Location{space: sp, addr: addr, frame: stack.Frame{Offset: addr}}
	st := sp.state.Load()
	r, ok := st.find(addr)
	if !ok {
		return l
	}
	l.exec = r.Prot&event.ProtExec != 0
	l.module, l.offset = sp.locate(st, r, addr)
	switch k, file := keyOf(r); {
	case file:
		l.frame.Module, l.frame.Offset = k.path, addr-r.Start+r.Offset
	case strings.HasPrefix(r.Path, "["):
		l.frame.Module = r.Path
	default:
		l.frame.Module = "[anon]"
	}
	return l
}

// Frames is the slow half of Resolve.
func (l Location) Frames() []stack.Frame {
	if l.exec && generated(l.frame.Module) {
		if f, ok := l.space.perf.Load().frame(l.addr); ok {
			return []stack.Frame{f}
		}
	}
	if l.module == nil {
		return []stack.Frame{l.frame}
	}
	return l.module.Frames(l.offset, false)
}
