package export

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/pprof/profile"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// unlistedName stands for the paths that a report only sums up.
const unlistedName = "[paths not listed]"

// maxPortions bounds the samples of one path.
const maxPortions = 32

// A sampler adds samples to a profile.
type sampler struct {
	*places
	pids map[string]string // by process name; nil if there is one process
}

// A portion is what a path did with mappings of one size and kind.
type portion struct {
	size, count, mapped, live uint64 // count mappings of size bytes; mapped and live are sums
	kind                      string
}

// path adds the samples of p: one for each size and kind of its outstanding
// mappings, and one for those that are gone.
func (s *sampler) path(p *report.Path) {
	stack := s.stack(p.Frames)
	restCount, restBytes := p.MappedCount, p.MappedBytes
	portions := portionsOf(p)
	var count, mapped uint64
	for _, t := range portions {
		count += t.count
		mapped += t.mapped
	}
	known := count <= restCount && mapped <= restBytes // else some came with a fork, or were moved
	for _, t := range portions {
		v := []int64{0, 0, whole(t.count), whole(t.live)}
		if known {
			v[0], v[1] = whole(t.count), whole(t.mapped)
			restCount, restBytes = restCount-t.count, restBytes-t.mapped
		}
		s.sample(p, stack, v, t.size, t.kind)
	}
	switch {
	case restCount > 0:
		s.sample(p, stack, []int64{whole(restCount), whole(restBytes), 0, 0}, restBytes/restCount, "")
	case restBytes > 0: // by which mremap let mappings grow
		s.sample(p, stack, []int64{0, whole(restBytes), 0, 0}, 0, "")
	}
}

// sample adds one sample with its labels.
func (s *sampler) sample(p *report.Path, stack []*profile.Location, v []int64, size uint64, kind string) {
	e := &profile.Sample{Location: stack, Value: v, Label: make(map[string][]string)}
	for key, text := range map[string]string{"call": p.Call, "kind": kind} {
		if text != "" {
			e.Label[key] = []string{printable(text)}
		}
	}
	if pid, several := s.pids[p.Comm]; several {
		e.Label["comm"] = []string{comm(p.Comm)}
		if pid != "" {
			e.Label["pid"] = []string{pid}
		}
	}
	if size > 0 {
		e.NumLabel = map[string][]int64{"bytes": {whole(size)}}
		e.NumUnit = map[string][]string{"bytes": {"bytes"}}
	}
	s.p.Sample = append(s.p.Sample, e)
}

// unlisted adds the sum of the paths that r does not list.
func (s *sampler) unlisted(u *report.Unlisted) {
	if u.MappedCount == 0 && u.MappedBytes == 0 {
		return
	}
	s.p.Sample = append(s.p.Sample, &profile.Sample{
		Location: []*profile.Location{s.marker(unlistedName)},
		Value:    []int64{whole(u.MappedCount), whole(u.MappedBytes), 0, 0},
	})
}

// portionsOf returns the outstanding mappings of p by size and kind, the largest
// portion first. If they are not all listed, or of many sizes, they are one.
func portionsOf(p *report.Path) []portion {
	type key struct {
		size uint64
		kind string
	}
	sums := make(map[key]portion)
	var live uint64
	for i := range p.Mappings {
		m := &p.Mappings[i]
		k := key{m.End - min(m.Start, m.End), m.Kind}
		t := sums[k]
		sums[k] = portion{k.size, t.count + 1, t.mapped + k.size, t.live + m.Live, k.kind}
		live += m.Live
	}
	if uint64(len(p.Mappings)) != p.Count || live != p.Bytes || len(sums) > maxPortions {
		return []portion{{p.Bytes / max(p.Count, 1), p.Count, p.Bytes, p.Bytes, kindOf(p)}}
	}
	portions := make([]portion, 0, len(sums))
	for _, t := range sums {
		portions = append(portions, t)
	}
	slices.SortFunc(portions, func(a, b portion) int {
		return cmp.Or(cmp.Compare(b.live, a.live), cmp.Compare(a.size, b.size), cmp.Compare(a.kind, b.kind))
	})
	return portions
}

// kindOf returns the kind of all of p's memory, or "" if there are several.
func kindOf(p *report.Path) string {
	switch {
	case p.Bytes == 0:
		return ""
	case p.Shared == p.Bytes:
		return "shared"
	case p.File == p.Bytes && p.Shared == 0:
		return "file"
	case p.Anon == p.Bytes && p.Shared == 0:
		return "anon"
	}
	return ""
}

// pidsByComm returns the process IDs of r's targets by name, "" where a name is
// that of several; it is nil if r has one target.
func pidsByComm(r *report.Report) map[string]string {
	if len(r.Targets) < 2 {
		return nil
	}
	pids := make(map[string]string)
	for i := range r.Targets {
		g := &r.Targets[i]
		if _, again := pids[g.Comm]; again {
			pids[g.Comm] = ""
			continue
		}
		pids[g.Comm] = strconv.FormatUint(uint64(g.PID), 10)
	}
	return pids
}
