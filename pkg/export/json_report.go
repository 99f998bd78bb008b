package export

import (
	"cmp"
	"math"
	"regexp"
	"strconv"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// A jsonNumber is a count that every JSON reader holds exactly.
type jsonNumber uint64

// maxNumber is the largest integer that a double and all below it hold exactly.
const maxNumber = 1<<53 - 1

// MarshalJSON writes n, or maxNumber if it is larger.
func (n jsonNumber) MarshalJSON() ([]byte, error) {
	return strconv.AppendUint(nil, min(uint64(n), maxNumber), 10), nil
}

// A jsonAddr is an address or offset, a string in hexadecimal.
type jsonAddr uint64

// MarshalJSON writes a as "0x7f00".
func (a jsonAddr) MarshalJSON() ([]byte, error) {
	return []byte(`"0x` + strconv.FormatUint(uint64(a), 16) + `"`), nil
}

type jsonReport struct {
	Schema     string           `json:"schema"`
	Tool       jsonTool         `json:"tool"`
	Host       jsonHost         `json:"host"`
	Targets    []jsonTarget     `json:"targets"`
	Window     jsonWindow       `json:"window"`
	Totals     jsonTotals       `json:"totals"`
	Quality    jsonQuality      `json:"quality"`
	Selection  jsonSelection    `json:"selection"`
	Paths      []jsonPath       `json:"paths"`
	Released   []jsonReleased   `json:"released_paths"`
	Unlisted   jsonUnlisted     `json:"released_unlisted"`
	Remnants   []jsonRemnant    `json:"remnants"`
	Suppressed []jsonSuppressed `json:"suppressions"`
	Failures   []jsonFailure    `json:"failures"`
	Trend      jsonTrend        `json:"trend"`
	Overhead   *jsonOverhead    `json:"overhead,omitempty"`
	Cost       jsonCost         `json:"cost"`
	Files      []jsonFile       `json:"files"`
	Left       []jsonLeft       `json:"left_behind"`
	Caveats    []string         `json:"caveats"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

type jsonHost struct {
	Name        string     `json:"name"`
	Kernel      string     `json:"kernel"`
	Arch        string     `json:"arch"`
	PageSize    jsonNumber `json:"page_size"`
	CPUs        jsonNumber `json:"cpus"`
	MaxMapCount jsonNumber `json:"max_map_count"`
	Overcommit  string     `json:"overcommit_memory"`
	Memory      jsonNumber `json:"memory_bytes"`
	Swap        jsonNumber `json:"swap_bytes"`
}

type jsonTarget struct {
	PID         jsonNumber `json:"pid"`
	Use         jsonNumber `json:"pid_use"`
	ParentPID   jsonNumber `json:"parent_pid"`
	Comm        string     `json:"comm"`
	Exe         string     `json:"exe"`
	Cmdline     []string   `json:"cmdline"`
	StartTicks  jsonNumber `json:"start_time_ticks"`
	Ended       string     `json:"ended"`
	Mappings    jsonNumber `json:"mappings"`
	Bytes       jsonNumber `json:"bytes"`
	BytesBefore jsonNumber `json:"bytes_before"`
}

type jsonWindow struct {
	Start     string     `json:"start"`
	End       string     `json:"end"`
	Duration  jsonNumber `json:"duration_ns"`
	Planned   jsonNumber `json:"planned_ns"`
	StoppedBy string     `json:"stopped_by"`
	When      string     `json:"when"`
	FromExec  bool       `json:"from_exec"`
	HalfTime  jsonNumber `json:"half_time_ns"`
	Tail      jsonNumber `json:"tail_ns"`
}

type jsonTotals struct {
	Calls            jsonNumber            `json:"calls"`
	ByKind           map[string]jsonNumber `json:"calls_by_kind"`
	Failed           jsonNumber            `json:"failed"`
	MappedBytes      jsonNumber            `json:"mapped_bytes"`
	MappedCount      jsonNumber            `json:"mapped_count"`
	UnmappedBytes    jsonNumber            `json:"unmapped_bytes"`
	UnmappedCount    jsonNumber            `json:"unmapped_count"`
	OutstandingBytes jsonNumber            `json:"outstanding_bytes"`
	OutstandingCount jsonNumber            `json:"outstanding_count"`
	HalfBytes        jsonNumber            `json:"half_time_bytes"`
	HalfCount        jsonNumber            `json:"half_time_count"`
	OldBytes         jsonNumber            `json:"old_bytes"`
	OldUnmapped      jsonNumber            `json:"old_unmapped_bytes"`
	HeapGrowth       int64                 `json:"heap_growth_bytes"`
	OldOpened        int64                 `json:"old_opened_bytes"`
	OldReturned      jsonNumber            `json:"old_returned_bytes"`
	jsonResidence
	Commit jsonCommitment `json:"commitment"`
}

// A jsonSelection says which paths were asked for and what that left out.
type jsonSelection struct {
	MinBytes     jsonNumber `json:"min_bytes"`
	MaxBytes     jsonNumber `json:"max_bytes"`
	Older        jsonNumber `json:"older_ns"`
	Sort         string     `json:"sort"`
	Include      []string   `json:"include"`
	Exclude      []string   `json:"exclude"`
	LeftOutPaths jsonNumber `json:"left_out_paths"`
	LeftOutBytes jsonNumber `json:"left_out_bytes"`
	NotIncluded  jsonNumber `json:"not_included_paths"`
	NotIncBytes  jsonNumber `json:"not_included_bytes"`
	Excluded     jsonNumber `json:"excluded_paths"`
	ExclBytes    jsonNumber `json:"excluded_bytes"`
}

// jsonReportOf returns r in the shape in which it is written, but for its paths,
// which writeReport adds.
func jsonReportOf(r *report.Report, left LeftOut, o *JSONOptions) *jsonReport {
	w, h, n := &r.Window, &r.Host, &r.Totals
	j := &jsonReport{
		Schema: JSONSchemaName,
		Tool:   jsonTool{valid(r.Tool.Name), valid(r.Tool.Version), valid(r.Tool.Commit)},
		Host: jsonHost{valid(h.Name), valid(h.Kernel), valid(h.Arch), jsonNumber(h.PageSize),
			natural(int64(h.CPUs)), jsonNumber(h.MaxMapCount), valid(h.Overcommit), jsonNumber(h.Memory), jsonNumber(h.Swap)},
		Targets: each(r.Targets, jsonTargetOf),
		Window: jsonWindow{rfc3339(w.StartUnix, 0), rfc3339(w.StartUnix, w.Duration),
			natural(int64(w.Duration)), natural(int64(w.Planned)), valid(w.StoppedBy), valid(w.When), w.FromExec, natural(int64(r.HalfTime)), natural(int64(r.Tail))},
		Totals: jsonTotals{
			Calls: jsonNumber(n.Calls), ByKind: make(map[string]jsonNumber), Failed: jsonNumber(n.Failed),
			MappedBytes: jsonNumber(n.MappedBytes), MappedCount: jsonNumber(n.MappedCount),
			UnmappedBytes: jsonNumber(n.UnmappedBytes), UnmappedCount: jsonNumber(n.UnmappedCount),
			OutstandingBytes: jsonNumber(n.OutstandingBytes), OutstandingCount: jsonNumber(n.OutstandingCount),
			HalfBytes: jsonNumber(n.Half.Bytes), HalfCount: jsonNumber(n.Half.Count),
			OldBytes: jsonNumber(n.OldBytes), OldUnmapped: jsonNumber(n.OldUnmapped),
			HeapGrowth: signed(n.HeapGrowth), jsonResidence: jsonResidenceOf(&n.Resident),
			OldOpened: signed(n.OldOpened), OldReturned: jsonNumber(n.OldReturned), Commit: jsonCommitmentOf(&n.Commit),
		},
		Quality:    jsonQualityOf(&r.Quality),
		Overhead:   jsonOverheadOf(&r.Overhead),
		Selection:  jsonSelectionOf(left, o),
		Paths:      []jsonPath{},
		Remnants:   each(r.Remnants, jsonRemnantOf),
		Suppressed: each(r.Suppressed, jsonSuppressedOf),
		Failures:   each(r.Failures, jsonFailureOf),
		Trend:      jsonTrendOf(&r.Trend),
		Cost:       jsonCostOf(r),
		Files:      each(r.Files, jsonFileOf),
		Left:       each(r.Left, jsonLeftOf),
		Caveats:    texts(r.Caveats),
	}
	j.Released, j.Unlisted = jsonReleasedPaths(r)
	for k, v := range n.ByKind {
		j.Totals.ByKind[valid(k)] = jsonNumber(v)
	}
	return j
}

func jsonSelectionOf(left LeftOut, o *JSONOptions) jsonSelection {
	all := left.all()
	return jsonSelection{
		MinBytes: jsonNumber(o.MinSize), MaxBytes: jsonNumber(o.MaxSize), Older: natural(int64(o.Older)),
		Sort: cmp.Or(o.Sort, Sorts()[0]), Include: patternTexts(o.Include), Exclude: patternTexts(o.Exclude),
		LeftOutPaths: natural(int64(all.Paths)), LeftOutBytes: jsonNumber(all.Bytes),
		NotIncluded: natural(int64(left.NotIncluded.Paths)), NotIncBytes: jsonNumber(left.NotIncluded.Bytes),
		Excluded: natural(int64(left.Excluded.Paths)), ExclBytes: jsonNumber(left.Excluded.Bytes),
	}
}

func patternTexts(list []*regexp.Regexp) []string {
	return each(list, func(p **regexp.Regexp) string { return valid((*p).String()) })
}

func jsonTargetOf(g *report.Target) jsonTarget {
	return jsonTarget{
		PID: jsonNumber(g.PID), Use: jsonNumber(max(1, g.Use)), ParentPID: jsonNumber(g.Parent),
		Comm: valid(g.Comm), Exe: valid(g.Exe), Cmdline: texts(g.Cmdline),
		StartTicks: jsonNumber(g.StartTicks), Ended: valid(g.Ended),
		Mappings: jsonNumber(g.Mappings), Bytes: jsonNumber(g.Bytes), BytesBefore: jsonNumber(g.BytesBefore),
	}
}

// each returns the shapes of all elements of in; it is never nil.
func each[T, J any](in []T, of func(*T) J) []J {
	out := make([]J, len(in))
	for i := range in {
		out[i] = of(&in[i])
	}
	return out
}

// texts returns the strings of in as valid UTF-8.
func texts(in []string) []string { return each(in, func(s *string) string { return valid(*s) }) }

// natural returns n, or 0 if it is negative.
func natural(n int64) jsonNumber { return jsonNumber(max(0, n)) }

// signed returns n, or the nearest integer that every JSON reader holds exactly.
func signed(n int64) int64 { return max(-maxNumber, min(n, maxNumber)) }

// finite returns v, or 0 if JSON has no number for it.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return max(-maxNumber, min(v, maxNumber))
}
