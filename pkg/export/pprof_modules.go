package export

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

type moduleKey struct{ file, buildID string }

func keyOf(f *stack.Frame) moduleKey { return moduleKey{f.Module, f.BuildID} }

// A module is a file with code, or what there is in place of one.
type module struct {
	moduleKey
	first, last uint64 // least and greatest offset that is named
	base        uint64 // address at which offset 0 would lie
	mapping     *profile.Mapping
}

// modulesOf returns the modules in which frames of r's paths lie. Frames that lie
// in none have none.
func modulesOf(r *report.Report) map[moduleKey]*module {
	ms := make(map[moduleKey]*module)
	for _, paths := range [][]report.Path{r.Paths, r.Released} {
		for i := range paths {
			for j := range paths[i].Frames {
				if f := &paths[i].Frames[j]; f.Module != "" {
					extend(ms, f)
				}
			}
		}
	}
	return ms
}

func extend(ms map[moduleKey]*module, f *stack.Frame) {
	m := ms[keyOf(f)]
	if m == nil {
		m = &module{keyOf(f), f.Offset, f.Offset, 0, nil}
		ms[keyOf(f)] = m
	}
	m.first, m.last = min(m.first, f.Offset), max(m.last, f.Offset)
}

// mainModule names the executable of the first process, "" if it is not known.
func mainModule(r *report.Report) string {
	if len(r.Targets) == 0 {
		return ""
	}
	return r.Targets[0].Exe
}

const (
	codePage = 1 << 12
	codeSlot = 1 << 32 // distance of files from each other, unless one is longer
	maxFile  = 1 << 44 // no file is that long
)

// layOut gives each module a mapping, and each file an address range of its own.
// It returns them with main first, which readers expect there even if no path
// leads through it.
//
//	slot 1          slot 2
//	|  [--main--]   |    [-libc-]     |      each at its file offset
//	   first..last       first..last         in whole pages
func layOut(ms map[moduleKey]*module, main string) []*profile.Mapping {
	list := make([]*module, 0, len(ms)+1)
	for _, m := range ms {
		list = append(list, m)
	}
	if main != "" && !slices.ContainsFunc(list, func(m *module) bool { return m.file == main }) {
		list = append(list, &module{moduleKey: moduleKey{file: main}})
	}
	slices.SortFunc(list, func(a, b *module) int {
		return cmp.Or(-compareBool(a.file == main, b.file == main),
			strings.Compare(a.file, b.file), strings.Compare(a.buildID, b.buildID))
	})
	next := uint64(codeSlot)
	out := make([]*profile.Mapping, len(list))
	for i, m := range list {
		if !strings.HasPrefix(m.file, "[") && m.last < maxFile { // else the offset is the address
			m.base = next
			next += (m.last/codeSlot + 1) * codeSlot
		}
		m.mapping = m.place(uint64(i + 1))
		out[i] = m.mapping
	}
	return out
}

// place returns m's mapping. It says that all is known that can be, so that no
// reader looks for more.
func (m *module) place(id uint64) *profile.Mapping {
	offset := m.first &^ (codePage - 1)
	p := &profile.Mapping{
		ID: id, Start: m.base + offset, File: printable(m.file), BuildID: printable(m.buildID),
		HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true,
	}
	if m.base > 0 {
		p.Offset = offset
	}
	p.Limit = m.base + m.last&^(codePage-1) + codePage
	if p.Limit < p.Start { // the last page of all
		p.Limit = math.MaxUint64
	}
	return p
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
