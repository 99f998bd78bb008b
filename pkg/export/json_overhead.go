package export

import "github.com/mmtrace/mmtrace/pkg/report"

type jsonOverhead struct {
	Limit     float64      `json:"limit"`
	Share     float64      `json:"share"`
	Spent     jsonNumber   `json:"spent_ns"`
	CPU       jsonNumber   `json:"cpu_ns"`
	Steps     []jsonSaving `json:"steps"`
	Unstacked jsonNumber   `json:"munmaps_without_stack"`
	Assumed   jsonNumber   `json:"stacks_assumed"`
	Checked   jsonNumber   `json:"stacks_checked"`
	Differed  jsonNumber   `json:"stacks_differed"`
	Mappings  jsonNumber   `json:"assumed_mappings"`
}

type jsonSaving struct {
	What  string     `json:"left_out"`
	Time  jsonNumber `json:"since_ns"`
	Share float64    `json:"share"`
}

// jsonOverheadOf returns nil if no limit was set.
func jsonOverheadOf(o *report.Overhead) *jsonOverhead {
	if !(o.Limit > 0) {
		return nil
	}
	out := &jsonOverhead{
		Limit: finite(o.Limit), Share: finite(o.Share()), Spent: natural(int64(o.Spent)), CPU: natural(int64(o.CPU)),
		Steps: []jsonSaving{}, Unstacked: jsonNumber(o.Unstacked), Assumed: jsonNumber(o.Assumed),
		Checked: jsonNumber(o.Checked), Differed: jsonNumber(o.Differed), Mappings: jsonNumber(o.AssumedMappings),
	}
	for _, s := range o.Steps {
		out.Steps = append(out.Steps, jsonSaving{valid(s.What), natural(int64(s.Time)), finite(s.Share)})
	}
	return out
}
