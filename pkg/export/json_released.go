package export

import "github.com/mmtrace/mmtrace/pkg/report"

// maxJSONReleased bounds the released paths that are written: of a program that
// maps and unmaps by thousands of paths the report would be 10 kB for each.
const maxJSONReleased = 1000

// A jsonReleased is a path of which nothing is outstanding.
type jsonReleased struct {
	ID            string      `json:"id"`
	Comm          string      `json:"comm"`
	Call          string      `json:"call"`
	MappedBytes   jsonNumber  `json:"mapped_bytes"`
	MappedCount   jsonNumber  `json:"mapped_count"`
	UnmappedBytes jsonNumber  `json:"unmapped_bytes"`
	HalfBytes     jsonNumber  `json:"half_time_bytes"`
	HalfCount     jsonNumber  `json:"half_time_count"`
	Frames        []jsonFrame `json:"frames"`
}

func jsonReleasedOf(p *report.Path) jsonReleased {
	return jsonReleased{
		ID: valid(p.ID), Comm: valid(p.Comm), Call: valid(p.Call),
		MappedBytes: jsonNumber(p.MappedBytes), MappedCount: jsonNumber(p.MappedCount),
		UnmappedBytes: jsonNumber(p.UnmappedBytes),
		HalfBytes:     jsonNumber(p.Half.Bytes), HalfCount: jsonNumber(p.Half.Count), Frames: each(p.Frames, jsonFrameOf),
	}
}

type jsonUnlisted struct {
	Paths         jsonNumber `json:"paths"`
	MappedBytes   jsonNumber `json:"mapped_bytes"`
	MappedCount   jsonNumber `json:"mapped_count"`
	UnmappedBytes jsonNumber `json:"unmapped_bytes"`
	HalfBytes     jsonNumber `json:"half_time_bytes"`
	HalfCount     jsonNumber `json:"half_time_count"`
}

// jsonReleasedPaths returns the released paths that are written, and the sum of
// the others.
func jsonReleasedPaths(r *report.Report) ([]jsonReleased, jsonUnlisted) {
	n := min(len(r.Released), maxJSONReleased)
	u := r.Unlisted
	for i := range r.Released[n:] {
		p := &r.Released[n+i]
		u.Stacks++
		u.MappedBytes += p.MappedBytes
		u.MappedCount += p.MappedCount
		u.UnmappedBytes += p.UnmappedBytes
		u.Half.Add(p.Half)
	}
	return each(r.Released[:n], jsonReleasedOf), jsonUnlisted{jsonNumber(u.Stacks), jsonNumber(u.MappedBytes),
		jsonNumber(u.MappedCount), jsonNumber(u.UnmappedBytes), jsonNumber(u.Half.Bytes), jsonNumber(u.Half.Count)}
}
