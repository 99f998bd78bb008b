package symbol

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// errOpen means that the caller has no file for a region.
var errOpen = errors.New("no file to read")

// A Space is the code of one address space: which file lies where. Update,
// SetVDSO and SetPerfMap may be called by one goroutine at a time, the other
// methods by any at any time.
type Space struct {
	s     *Symbolizer
	state atomic.Pointer[spaceState]
	vdso  atomic.Pointer[Module]
	perf  atomic.Pointer[perfMap]
}

// A spaceState is one map; it is replaced, never changed.
type spaceState struct {
	regions []event.Region
	modules map[regionKey]*Module
}

// A regionKey names the file that a region is mapped from. The path is part of
// it because device and inode of the kernel's map are not unique on file
// systems that stack others.
type regionKey struct {
	dev, inode uint64
	path       string
}

// NewSpace returns the code map of an address space of which nothing is known
// yet.
func (s *Symbolizer) NewSpace() *Space {
	sp := &Space{s: s}
	sp.state.Store(&spaceState{})
	return sp
}

// SetVDSO gives the space the ELF image of its vDSO, as it lies in memory,
// which is copied. Without one, addresses in the vDSO have no names.
func (sp *Space) SetVDSO(image []byte) { sp.vdso.Store(sp.s.vdso(image)) }

// Update replaces the list of regions, which the caller must leave alone from
// then on. open is called for each executable region whose file is not known
// yet, neither from this space nor from another of the Symbolizer; it returns
// the open file, which then belongs to the Symbolizer. If it fails, the frames
// of that file have no names, and as long as the region is there it is not
// tried again.
func (sp *Space) Update(regions []event.Region, open func(event.Region) (*os.File, error)) {
	byStart := func(a, b event.Region) int { return cmp.Compare(a.Start, b.Start) }
	if !slices.IsSortedFunc(regions, byStart) {
		regions = slices.Clone(regions)
		slices.SortStableFunc(regions, byStart)
	}
	old := sp.state.Load().modules
	next := &spaceState{regions, map[regionKey]*Module{}}
	for _, r := range regions {
		k, ok := keyOf(r)
		if !ok || r.Prot&event.ProtExec == 0 || next.modules[k] != nil {
			continue
		}
		m := old[k]
		if m == nil {
			m = sp.module(k, r, open)
		}
		next.modules[k] = m
	}
	sp.state.Store(next)
}

// Adopt replaces the list of regions by one of code whose files are known already, in
// address order. A region without a Module is of the file that the Symbolizer knows
// regions like it to be of; if it knows none, the region is left out.
func (sp *Space) Adopt(code []CodeRegion) {
	next := &spaceState{modules: map[regionKey]*Module{}}
	for _, c := range code {
		if k, ok := keyOf(c.Region); ok {
			if c.Module == nil {
				c.Module = sp.s.region(k)
			}
			if c.Module == nil {
				continue
			}
			next.modules[k] = c.Module
		}
		next.regions = append(next.regions, c.Region)
	}
	sp.state.Store(next)
}

// module finds the file of r: known to the Symbolizer, or opened now.
func (sp *Space) module(k regionKey, r event.Region, open func(event.Region) (*os.File, error)) *Module {
	if m := sp.s.region(k); m != nil {
		return m
	}
	f, err := open(r)
	if err == nil && f == nil {
		err = errOpen
	}
	if err != nil {
		return brokenModule(k.path, err)
	}
	m := sp.s.Module(k.path, f)
	sp.s.bind(k, m)
	return m
}

// keyOf returns the key of r's file; a region without a file has none. What
// the kernel appends to the path of a deleted file is cut, so that a file
// stays the same when it is deleted.
func keyOf(r event.Region) (regionKey, bool) {
	if r.Inode == 0 || r.Path == "" || strings.HasPrefix(r.Path, "[") {
		return regionKey{}, false
	}
	return regionKey{r.Dev, r.Inode, strings.TrimSuffix(r.Path, " (deleted)")}, true
}

// find returns the region that holds addr.
func (st *spaceState) find(addr uint64) (event.Region, bool) {
	i := sort.Search(len(st.regions), func(i int) bool { return st.regions[i].Start > addr }) - 1
	if i < 0 || !st.regions[i].Contains(addr) {
		return event.Region{}, false
	}
	return st.regions[i], true
}

// Resolve returns the frames of the address pc, leaf first, at least one. call
// says that pc is a return address; the frames then speak of the byte before
// it, as those of Module.Frames do. An address in a region without a file gets
// a frame that names the region, or the function if SetPerfMap told it, and one
// in no region a frame without a module.
func (sp *Space) Resolve(pc uint64, call bool) []stack.Frame { return sp.Locate(pc, call).Frames() }

// locate returns the module of region r and the offset of addr in its file, or
// nil.
func (sp *Space) locate(st *spaceState, r event.Region, addr uint64) (*Module, uint64) {
	if k, ok := keyOf(r); ok {
		return st.modules[k], addr - r.Start + r.Offset
	}
	if r.Path == "[vdso]" {
		return sp.vdso.Load(), addr - r.Start
	}
	return nil, 0
}

// Executable says whether pc lies in executable memory. known is false if no
// region holds pc: the list may be older than the address.
func (sp *Space) Executable(pc uint64) (known, exec bool) {
	r, ok := sp.state.Load().find(pc)
	return ok, r.Prot&event.ProtExec != 0
}

// A CodeRegion is an executable region of a space.
type CodeRegion struct {
	event.Region
	// Module is its file, or the vDSO's image; nil for generated code.
	Module *Module
}

// Code returns the executable regions in address order.
func (sp *Space) Code() []CodeRegion {
	st := sp.state.Load()
	var out []CodeRegion
	for _, r := range st.regions {
		if r.Prot&event.ProtExec == 0 {
			continue
		}
		m, _ := sp.locate(st, r, r.Start)
		out = append(out, CodeRegion{r, m})
	}
	return out
}

// HasVDSO reports whether SetVDSO was called.
func (sp *Space) HasVDSO() bool { return sp.vdso.Load() != nil }
