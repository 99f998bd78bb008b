package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// maxOpeners bounds the places that are told to have opened one file.
const maxOpeners = 2

// openedBy names the places that opened a file, a line each, as far as they are
// known. How much of it each did is told unless one did all.
func (t *text) openedBy(f *report.File) {
	list := openPlaces(f.Openers)
	var known uint64
	for i := range list {
		known += list[i].Descriptors + list[i].Mappings
	}
	all := len(list) == 1 && known >= f.Descriptors+f.Count
	n := min(len(list), maxOpeners)
	for i := range list[:n] {
		share := ""
		if !all {
			share = " (" + openerShare(&list[i].Opener) + ")"
		}
		t.note(plain, "opened by %s%s", list[i].place, share)
	}
	if rest := len(list) - n; rest > 0 {
		t.note(plain, "opened by %s", count(uint64(rest), "more place"))
	}
}

// An openPlace sums up the call paths that opened a file at one place.
type openPlace struct {
	report.Opener
	place string
}

// openPlaces sums up call paths that read the same, in the order of the largest.
func openPlaces(paths []report.Opener) (out []openPlace) {
	for i := range paths {
		o := &paths[i]
		at := openedAt(behindOpen(o.Frames))
		k := slices.IndexFunc(out, func(p openPlace) bool { return p.place == at })
		if k < 0 {
			out = append(out, openPlace{*o, at})
			continue
		}
		out[k].Descriptors += o.Descriptors
		out[k].Mappings += o.Mappings
	}
	slices.SortStableFunc(out, func(x, y openPlace) int { return cmp.Compare(y.Descriptors+y.Mappings, x.Descriptors+x.Mappings) })
	return out
}

// opens are the names, without leading underscores, under which C libraries open
// files.
var opens = map[string]bool{
	"open": true, "open64": true, "openat": true, "openat64": true, "openat2": true, "creat": true, "creat64": true,
	"memfd_create": true, "memfd_secret": true, "open_by_handle_at": true, "shm_open": true, "fopen": true, "fopen64": true,
}

// behindOpen leaves out the innermost frames of a path that only open a file for
// whoever called them: those of a C library that is linked into the program, and
// those of Go's package os. If there are no others, it leaves out none.
func behindOpen(frames []stack.Frame) []stack.Frame {
	for i := range frames {
		f := &frames[i]
		name, _, _ := strings.Cut(strings.TrimPrefix(f.Function, "__GI_"), "@")
		goes := strings.HasPrefix(name, "os.") || strings.HasPrefix(name, "internal/")
		if !goes && !opens[strings.TrimLeft(name, "_")] && !plumbing(f) {
			return frames[i:]
		}
	}
	return frames
}

// openedAt names the place of a path that opened a file. If that is in a library,
// which opens files for many, the place that called the library follows.
func openedAt(frames []stack.Frame) string {
	s := place(&report.Path{Frames: frames})
	i := blame(frames)
	if i == len(frames) || !strings.Contains(base(frames[i].Module), ".so") {
		return s
	}
	for k := i + 1; k < len(frames); k++ {
		f := &frames[k]
		if f.Module != frames[i].Module && f.Module != "" && !plumbing(f) && !entry(f) {
			return s + ", called from " + place(&report.Path{Frames: frames[k:]})
		}
	}
	return s
}

// openerShare says what is left of what one call path opened.
func openerShare(o *report.Opener) string {
	switch {
	case o.Mappings == 0:
		return count(o.Descriptors, "descriptor")
	case o.Descriptors == 0:
		return count(o.Mappings, "mapping")
	}
	return fmt.Sprintf("%s, %s", count(o.Descriptors, "descriptor"), count(o.Mappings, "mapping"))
}
