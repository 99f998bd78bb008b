package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
)

// maxMissing bounds how many files are named for what they do not tell.
const maxMissing = 3

// missing returns a sentence for each file of code that the paths of r show
// without names, the one with most of them first. Source positions alone are no
// reason for a sentence.
func missing(r *Report, files []MissingFacts) []string {
	shown := make(map[string]bool)
	for i := range r.Paths {
		for _, f := range r.Paths[i].Frames {
			if f.Function == "" {
				shown[f.Module] = true
			}
		}
	}
	var list []MissingFacts
	for _, m := range files {
		if m.Nameless > 0 && shown[m.Path] {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b MissingFacts) int { return cmp.Compare(b.Nameless, a.Nameless) })
	var out []string
	for _, m := range list[:min(len(list), maxMissing)] {
		out = append(out, missingText(m))
	}
	switch n := len(list) - maxMissing; {
	case n == 1:
		out = append(out, "1 more file has functions without a name.")
	case n > 1:
		out = append(out, fmt.Sprintf("%d more files have functions without a name.", n))
	}
	return out
}

// missingText says what would give m's functions their names.
func missingText(m MissingFacts) string {
	name := path.Base(m.Path)
	if m.BuildID == "" {
		return fmt.Sprintf("%s has functions without a name, and no build ID to look for its debug information by.", name)
	}
	return fmt.Sprintf("%s has functions without a name: install its debug information (its -dbg, -dbgsym or -debuginfo package), or set DEBUGINFOD_URLS.", name)
}
