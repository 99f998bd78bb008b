package export

import "github.com/mmtrace/mmtrace/pkg/report"

type jsonResidence struct {
	Scanned jsonNumber `json:"resident_scanned_bytes"`
	Present jsonNumber `json:"resident_bytes"`
	Anon    jsonNumber `json:"resident_anon_bytes"`
	Huge    jsonNumber `json:"resident_huge_bytes"`
	Swapped jsonNumber `json:"swapped_bytes"`
}

func jsonResidenceOf(r *report.Residence) jsonResidence {
	return jsonResidence{jsonNumber(r.Scanned), jsonNumber(r.Present), jsonNumber(r.Anon), jsonNumber(r.Huge), jsonNumber(r.Swapped)}
}

type jsonTrend struct {
	Processes []jsonProcessTrend  `json:"processes"`
	System    map[string]jsonLine `json:"system"`
	Samples   jsonSamples         `json:"system_samples"`
}

type jsonProcessTrend struct {
	PID      jsonNumber          `json:"pid"`
	Comm     string              `json:"comm"`
	Lines    map[string]jsonLine `json:"lines"`
	Samples  jsonSamples         `json:"samples"`
	Mappings jsonForecast        `json:"mappings"`
	Size     jsonGrowth          `json:"size_growth"`
	Resident jsonGrowth          `json:"rss_growth"`
	OldRSS   jsonNumber          `json:"rss_old_bytes"`
}

type jsonLine struct {
	First     jsonNumber `json:"first"`
	Last      jsonNumber `json:"last"`
	Min       jsonNumber `json:"min"`
	Max       jsonNumber `json:"max"`
	PerSecond float64    `json:"per_s"`
}

// jsonSamples are lists of one length each, the moments in nanoseconds since the
// first.
type jsonSamples struct {
	Times  []jsonNumber            `json:"time_ns"`
	Values map[string][]jsonNumber `json:"values"`
}

type jsonForecast struct {
	Now       jsonNumber `json:"now"`
	Limit     jsonNumber `json:"limit"`
	PerSecond float64    `json:"per_s"`
	Due       bool       `json:"due"`
	In        jsonNumber `json:"in_ns"`
}

type jsonGrowth struct {
	Change    int64      `json:"change_bytes"`
	Paths     int64      `json:"paths_bytes"`
	Heap      int64      `json:"heap_bytes"`
	Old       int64      `json:"old_bytes"`
	Other     int64      `json:"other_bytes"`
	Unknown   jsonNumber `json:"unknown_bytes"`
	Explained float64    `json:"explained_percent"`
}

func jsonTrendOf(t *report.Trend) jsonTrend {
	return jsonTrend{
		Processes: each(t.Processes, jsonProcessTrendOf),
		System:    jsonLines(t.System), Samples: jsonSamplesOf(t.SystemSamples),
	}
}

func jsonProcessTrendOf(t *report.ProcessTrend) jsonProcessTrend {
	m := &t.Mappings
	return jsonProcessTrend{
		PID: jsonNumber(t.PID), Comm: valid(t.Comm), Lines: jsonLines(t.Lines), Samples: jsonSamplesOf(t.Samples),
		Mappings: jsonForecast{jsonNumber(m.Now), jsonNumber(m.Limit), finite(m.PerSecond), m.Due, natural(int64(m.In))},
		Size:     jsonGrowthOf(&t.Size), Resident: jsonGrowthOf(&t.Resident), OldRSS: jsonNumber(t.OldRSS),
	}
}

func jsonLines(lines report.Lines) map[string]jsonLine {
	out := make(map[string]jsonLine, len(lines))
	for m, l := range lines {
		out[valid(string(m))] = jsonLine{jsonNumber(l.First), jsonNumber(l.Last), jsonNumber(l.Min), jsonNumber(l.Max), finite(l.PerSecond)}
	}
	return out
}

// jsonSamplesOf takes nil for no samples.
func jsonSamplesOf(s *report.Series) jsonSamples {
	out := jsonSamples{Times: []jsonNumber{}, Values: make(map[string][]jsonNumber)}
	if s == nil {
		return out
	}
	for _, t := range s.Times {
		out.Times = append(out.Times, natural(int64(t-s.Times[0])))
	}
	for m, list := range s.Values {
		out.Values[valid(string(m))] = each(list, func(n *uint64) jsonNumber { return jsonNumber(*n) })
	}
	return out
}

func jsonGrowthOf(g *report.Growth) jsonGrowth {
	return jsonGrowth{signed(g.Change), signed(g.Paths), signed(g.Heap), signed(g.Old), signed(g.Other),
		jsonNumber(g.Unknown), finite(g.Explained())}
}
