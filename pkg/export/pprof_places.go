package export

import (
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// places holds the modules, functions and locations of a profile, each once, in
// the order in which samples name them.
type places struct {
	p         *profile.Profile
	modules   map[moduleKey]*module
	functions map[functionKey]*profile.Function
	named     map[functionKey]*profile.Function // the same by names as they came
	lists     map[listKey]int                   // lists of lines, by their last line and the list before it
	locations map[locationKey]*profile.Location
	lines     []profile.Line // of the location at hand
}

type functionKey struct{ name, system, file string }

type listKey struct {
	before   int // 0: the empty list
	function uint64
	line     int64
}

type locationKey struct {
	mapping *profile.Mapping
	address uint64
	lines   int
}

// newPlaces fills in the mappings of p from the modules of r.
func newPlaces(p *profile.Profile, r *report.Report) *places {
	s := &places{
		p:         p,
		modules:   modulesOf(r),
		functions: make(map[functionKey]*profile.Function),
		named:     make(map[functionKey]*profile.Function),
		lists:     make(map[listKey]int),
		locations: make(map[locationKey]*profile.Location),
	}
	p.Mapping = layOut(s.modules, mainModule(r))
	return s
}

// stack returns the locations of frames, leaf first. Functions that were inlined
// at an address are lines of its location, the innermost first.
func (s *places) stack(frames []stack.Frame) []*profile.Location {
	if len(frames) == 0 {
		return []*profile.Location{s.marker(noStack)}
	}
	var out []*profile.Location
	for len(frames) > 0 {
		n := 1
		for n < len(frames) && frames[n-1].Inlined && sameAddress(&frames[n-1], &frames[n]) {
			n++
		}
		out = append(out, s.location(frames[:n]))
		frames = frames[n:]
	}
	return out
}

func sameAddress(a, b *stack.Frame) bool {
	return a.Offset == b.Offset && a.Module == b.Module && a.BuildID == b.BuildID
}

// location returns the location of frames of one address.
func (s *places) location(frames []stack.Frame) *profile.Location {
	f := &frames[0]
	key := locationKey{address: f.Offset}
	if m := s.modules[keyOf(f)]; m != nil {
		key.mapping, key.address = m.mapping, m.base+f.Offset
	}
	s.lines = s.lines[:0]
	for i := range frames {
		l := profile.Line{Function: s.function(&frames[i]), Line: int64(max(0, frames[i].Line))}
		s.lines = append(s.lines, l)
		key.lines = s.list(key.lines, l)
	}
	return s.add(key, s.lines)
}

// marker returns a location that says what is missing.
func (s *places) marker(name string) *profile.Location {
	return s.location([]stack.Frame{{Function: name}})
}

// list returns the number of a list of lines.
func (s *places) list(before int, l profile.Line) int {
	key := listKey{before, l.Function.ID, l.Line}
	n, ok := s.lists[key]
	if !ok {
		n = len(s.lists) + 1
		s.lists[key] = n
	}
	return n
}

// add returns the location of key, which has a copy of lines.
func (s *places) add(key locationKey, lines []profile.Line) *profile.Location {
	l := s.locations[key]
	if l == nil {
		l = &profile.Location{ID: uint64(len(s.p.Location) + 1), Mapping: key.mapping, Address: key.address,
			Line: slices.Clone(lines)}
		s.locations[key] = l
		s.p.Location = append(s.p.Location, l)
	}
	return l
}

// function returns the function of f. Names are made fit to be shown once each.
func (s *places) function(f *stack.Frame) *profile.Function {
	raw := functionKey{f.Function, f.Linkage, f.File}
	if fn := s.named[raw]; fn != nil {
		return fn
	}
	name := label(f)
	key := functionKey{name, systemName(name, f.Linkage), printable(f.File)}
	fn := s.functions[key]
	if fn == nil {
		fn = &profile.Function{ID: uint64(len(s.p.Function) + 1), Name: name, SystemName: key.system, Filename: key.file}
		s.functions[key] = fn
		s.p.Function = append(s.p.Function, fn)
	}
	if f.Function != "" { // else the name is that of one place
		s.named[raw] = fn
	}
	return fn
}

// systemName returns the linkage name of a function. pprof takes a name that
// equals its linkage name for one that was not demangled, and cuts what looks
// like C++ short: run()::{lambda()#1}::operator()() const would become
// run::{lambda#1}::operator const. Such names get no linkage name.
func systemName(name, linkage string) string {
	switch linkage = printable(linkage); {
	case linkage != "" && linkage != name:
		return linkage
	case plainName(name):
		return name
	}
	return ""
}

// plainName reports whether nobody takes name for one of C++ or for a mangled one.
func plainName(name string) bool {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$@-/"
	rest := strings.TrimLeft(name, "_")
	mangled := rest != name && rest != "" && 'A' <= rest[0] && rest[0] <= 'Z' // _Z, _R, _GLOBAL_
	return strings.Trim(name, safe) == "" && !mangled
}
