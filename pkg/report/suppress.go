package report

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A Suppressed sums up what one Suppression matched, first of all.
type Suppressed struct {
	Suppression
	Paths           uint64
	Bytes, Mappings uint64 // outstanding, of these paths
}

// Suppress gives the paths with outstanding mappings that one of list matches the
// verdict verdict.Suppressed, and takes their remnants from r. Where several match a
// path it is the first that counts. What is outstanding stays so, and in the totals.
func Suppress(r *Report, list []Suppression) {
	uses := make([]Suppressed, len(list))
	for i := range list {
		uses[i].Suppression = list[i]
	}
	for i := range r.Paths {
		p := &r.Paths[i]
		for k := range uses {
			if u := &uses[k]; u.Matches(p.Frames) {
				u.Paths++
				u.Bytes += p.Bytes
				u.Mappings += p.Count
				p.Verdict = u.verdict(p.Verdict)
				break
			}
		}
	}
	remnants := r.Remnants[:0:0]
	for _, m := range r.Remnants {
		suppressed := false
		for k := range uses {
			suppressed = suppressed || uses[k].Matches(m.MappedAt)
		}
		if !suppressed {
			remnants = append(remnants, m)
		}
	}
	r.Remnants = remnants
	r.Suppressed = append(r.Suppressed, uses...)
}

// verdict is that on a path that s matches and that would be judged v.
func (s *Suppression) verdict(v verdict.Verdict) verdict.Verdict {
	return verdict.Verdict{Kind: verdict.Suppressed, Enough: true,
		Why: strings.TrimSpace(fmt.Sprintf("It matches %s. Else: %s. %s", s.Text, v.Kind, v.Why))}
}

// Place says where s is written: "lsan.supp:3".
func (s *Suppression) Place() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }
