package export

import (
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

type jsonQuality struct {
	Events           jsonNumber `json:"events"`
	Lost             jsonNumber `json:"lost"`
	Missed           jsonNumber `json:"missed"`
	MapFull          jsonNumber `json:"map_full"`
	StacksMissing    jsonNumber `json:"stacks_missing"`
	StacksTruncated  jsonNumber `json:"stacks_truncated"`
	StacksIncomplete jsonNumber `json:"stacks_incomplete"`
	FramesGuessed    jsonNumber `json:"frames_guessed"`
	FramesUnresolved jsonNumber `json:"frames_unresolved"`
	Verified         bool       `json:"verified"`
	LiveBytes        jsonNumber `json:"live_bytes"`
	VerifiedBytes    jsonNumber `json:"verified_bytes"`
	ExtraBytes       jsonNumber `json:"extra_bytes"`
	UnexplainedBytes jsonNumber `json:"unexplained_bytes"`
	Checks           jsonNumber `json:"checks"`
	Mismatches       jsonNumber `json:"mismatches"`
	Resyncs          jsonNumber `json:"resyncs"`
	ExactSince       jsonNumber `json:"exact_since_ns"`
	Uncertain        jsonNumber `json:"uncertain"`
	Raced            jsonNumber `json:"raced"`
	RacedBytes       jsonNumber `json:"raced_bytes"`
	OrderMode        string     `json:"order_mode"`
	OrderExact       bool       `json:"order_exact"`
	OrderWhy         string     `json:"order_why,omitempty"`
	ResidentUnknown  jsonNumber `json:"resident_unknown_bytes"`
	ResidentBeyond   jsonNumber `json:"resident_beyond_budget_bytes"`
	ResidentBeyondN  jsonNumber `json:"resident_beyond_budget_mappings"`
	ResidentDenied   jsonNumber `json:"resident_denied_bytes"`
	ResidentBudget   jsonNumber `json:"resident_budget_ns"`
	ResidentTook     jsonNumber `json:"resident_took_ns"`
	LeftUnknown      bool       `json:"left_behind_unknown"`
}

func jsonQualityOf(q *report.Quality) jsonQuality {
	return jsonQuality{
		Events: jsonNumber(q.Events), Lost: jsonNumber(q.Lost),
		Missed: jsonNumber(q.Missed), MapFull: jsonNumber(q.MapFull),
		StacksMissing: jsonNumber(q.StacksMissing), StacksTruncated: jsonNumber(q.StacksTruncated),
		StacksIncomplete: jsonNumber(q.StacksIncomplete), FramesGuessed: jsonNumber(q.FramesGuessed),
		FramesUnresolved: jsonNumber(q.FramesUnresolved),
		Verified:         q.Verified,
		LiveBytes:        jsonNumber(q.LiveBytes), VerifiedBytes: jsonNumber(q.VerifiedBytes),
		ExtraBytes: jsonNumber(q.ExtraBytes), UnexplainedBytes: jsonNumber(q.UnexplainedBytes),
		Checks: jsonNumber(q.Checks), Mismatches: jsonNumber(q.Mismatches), Resyncs: jsonNumber(q.Resyncs),
		ExactSince: natural(int64(q.ExactSince)), Uncertain: jsonNumber(q.Uncertain),
		Raced: jsonNumber(q.Raced.Count), RacedBytes: jsonNumber(q.Raced.Bytes),
		OrderMode: valid(q.OrderMode), OrderExact: q.OrderMode == "lock", OrderWhy: valid(q.OrderWhy),
		ResidentUnknown: jsonNumber(q.ResidentUnknown), ResidentBeyond: jsonNumber(q.ResidentBeyond),
		ResidentBeyondN: jsonNumber(q.ResidentBeyondCount),
		ResidentDenied:  jsonNumber(q.ResidentDenied),
		ResidentBudget:  natural(int64(q.ResidentBudget)), ResidentTook: natural(int64(q.ResidentTook)),
		LeftUnknown: q.LeftUnknown,
	}
}

type jsonPath struct {
	ID            string     `json:"id"`
	Comm          string     `json:"comm"`
	Call          string     `json:"call"`
	Bytes         jsonNumber `json:"bytes"`
	Count         jsonNumber `json:"count"`
	MappedBytes   jsonNumber `json:"mapped_bytes"`
	MappedCount   jsonNumber `json:"mapped_count"`
	UnmappedBytes jsonNumber `json:"unmapped_bytes"`
	HalfBytes     jsonNumber `json:"half_time_bytes"`
	HalfCount     jsonNumber `json:"half_time_count"`
	Rate          float64    `json:"rate_bytes_per_s"`
	Oldest        jsonNumber `json:"oldest_age_ns"`
	Newest        jsonNumber `json:"newest_age_ns"`
	Anon          jsonNumber `json:"anon_bytes"`
	File          jsonNumber `json:"file_bytes"`
	Shared        jsonNumber `json:"shared_bytes"`
	Uncertain     jsonNumber `json:"uncertain"`
	jsonResidence
	Commit jsonCommitment `json:"commitment"`
	jsonJudgement
	Frames   []jsonFrame   `json:"frames"`
	Mappings []jsonMapping `json:"mappings"`
}

func jsonPathOf(p *report.Path) jsonPath {
	return jsonPath{
		ID: valid(p.ID), Comm: valid(p.Comm), Call: valid(p.Call),
		Bytes: jsonNumber(p.Bytes), Count: jsonNumber(p.Count),
		MappedBytes: jsonNumber(p.MappedBytes), MappedCount: jsonNumber(p.MappedCount),
		UnmappedBytes: jsonNumber(p.UnmappedBytes),
		HalfBytes:     jsonNumber(p.Half.Bytes), HalfCount: jsonNumber(p.Half.Count), Rate: finite(p.Rate),
		Oldest: natural(int64(p.Oldest)), Newest: natural(int64(p.Newest)),
		Anon: jsonNumber(p.Anon), File: jsonNumber(p.File), Shared: jsonNumber(p.Shared),
		Uncertain: jsonNumber(p.Uncertain), jsonResidence: jsonResidenceOf(&p.Resident), Commit: jsonCommitmentOf(&p.Commit), jsonJudgement: jsonJudgementOf(p),
		Frames: each(p.Frames, jsonFrameOf), Mappings: each(p.Mappings, jsonMappingOf),
	}
}

type jsonFrame struct {
	Function       string     `json:"function"`
	LinkageName    string     `json:"linkage_name"`
	FunctionOffset jsonAddr   `json:"function_offset"`
	Module         string     `json:"module"`
	Offset         jsonAddr   `json:"offset"`
	BuildID        string     `json:"build_id"`
	File           string     `json:"file"`
	Line           jsonNumber `json:"line"`
	Inlined        bool       `json:"inlined"`
	Guessed        bool       `json:"guessed"`
}

func jsonFrameOf(f *stack.Frame) jsonFrame {
	return jsonFrame{
		Function: valid(f.Function), LinkageName: valid(f.Linkage), FunctionOffset: jsonAddr(f.Start),
		Module: valid(f.Module), Offset: jsonAddr(f.Offset), BuildID: valid(f.BuildID),
		File: valid(f.File), Line: natural(int64(f.Line)), Inlined: f.Inlined, Guessed: f.Guessed,
	}
}

type jsonMapping struct {
	PID   jsonNumber `json:"pid"`
	Start jsonAddr   `json:"start"`
	End   jsonAddr   `json:"end"`
	Live  jsonNumber `json:"live_bytes"`
	Age   jsonNumber `json:"age_ns"`
	File  string     `json:"file"`
	jsonResidence
}

func jsonMappingOf(m *report.Mapping) jsonMapping {
	return jsonMapping{
		jsonNumber(m.PID), jsonAddr(m.Start), jsonAddr(m.End),
		jsonNumber(m.Live), natural(int64(m.Age)), valid(m.File), jsonResidenceOf(&m.Resident),
	}
}

type jsonRemnant struct {
	Comm       string      `json:"comm"`
	Left       jsonNumber  `json:"left_bytes"`
	Mapped     jsonNumber  `json:"mapped_bytes"`
	Count      jsonNumber  `json:"count"`
	Where      string      `json:"where"`
	Example    jsonMapping `json:"example"`
	UnmapStart jsonAddr    `json:"unmap_start"`
	UnmapEnd   jsonAddr    `json:"unmap_end"`
	MappedAt   []jsonFrame `json:"mapped_at"`
	UnmappedAt []jsonFrame `json:"unmapped_at"`
}

func jsonRemnantOf(m *report.Remnant) jsonRemnant {
	return jsonRemnant{
		Comm: valid(m.Comm), Left: jsonNumber(m.Left), Mapped: jsonNumber(m.Mapped),
		Count: jsonNumber(m.Count), Where: valid(m.Where), Example: jsonMappingOf(&m.Example),
		UnmapStart: jsonAddr(m.UnmapStart), UnmapEnd: jsonAddr(m.UnmapEnd),
		MappedAt: each(m.MappedAt, jsonFrameOf), UnmappedAt: each(m.UnmappedAt, jsonFrameOf),
	}
}

type jsonFailure struct {
	Comm    string      `json:"comm"`
	Call    string      `json:"call"`
	Errno   string      `json:"errno"`
	Count   jsonNumber  `json:"count"`
	Example string      `json:"example"`
	Why     string      `json:"why"`
	Cause   string      `json:"cause"`
	Frames  []jsonFrame `json:"frames"`
}

func jsonFailureOf(f *report.Failure) jsonFailure {
	return jsonFailure{
		Comm: valid(f.Comm), Call: valid(f.Call), Errno: valid(f.Errno), Count: jsonNumber(f.Count),
		Example: valid(f.Example), Why: valid(f.Why), Cause: valid(string(f.Cause)), Frames: each(f.Frames, jsonFrameOf),
	}
}
