package symbol

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"
)

// gaps counts the questions to a module that were not answered in full.
type gaps struct {
	asked, nameless, lineless atomic.Uint64
	// why is why debug information is missing or not whole.
	why atomic.Pointer[error]
}

// A Missing is a module about which not all could be told that was asked for.
type Missing struct {
	Path    string
	BuildID string
	// Asked counts the questions for frames, Nameless the answers without a
	// function, Lineless those without a source position.
	Asked, Nameless, Lineless uint64
	// Why says what is missing or damaged.
	Why error
}

// Missing returns the modules in which addresses had no function or no line
// because symbols or debug information are missing or damaged, in the order of
// their paths, each once. The vDSO, which nobody has debug information for, is
// left out. It may look for debug files, as Frames does.
func (s *Symbolizer) Missing() []Missing {
	s.mu.Lock()
	touched := slices.Clone(s.touched)
	s.mu.Unlock()
	var out []Missing
	for _, m := range touched {
		g := &m.gaps
		x := Missing{Path: m.path, BuildID: m.BuildID(), Asked: g.asked.Load(), Nameless: g.nameless.Load(), Lineless: g.lineless.Load()}
		if x.Nameless == 0 && x.Lineless == 0 || m.path == vdsoPath {
			continue
		}
		if x.Why = m.why(); x.Why != nil {
			out = merge(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.BuildID, b.BuildID))
	})
	return out
}

// merge adds x to out, or to the one in out that has the same path and build.
func merge(out []Missing, x Missing) []Missing {
	for i := range out {
		o := &out[i]
		if o.Path == x.Path && o.BuildID == x.BuildID {
			o.Asked += x.Asked
			o.Nameless += x.Nameless
			o.Lineless += x.Lineless
			return out
		}
	}
	return append(out, x)
}
