package export

import "github.com/mmtrace/mmtrace/pkg/report"

type jsonCost struct {
	Known      bool    `json:"known"`
	NotSampled string  `json:"not_measured"`
	Lost       float64 `json:"lost_ns"`
	OfWindow   float64 `json:"lost_of_window"`
	OfCPU      float64 `json:"lost_of_cpu"`
	AtMost     bool    `json:"at_most"`
	PerEvent   float64 `json:"event_ns"`

	CallLonger     float64 `json:"other_call_ns"`
	CallsPerSecond float64 `json:"machine_calls_per_s"`

	TargetCPU jsonNumber `json:"target_cpu_ns"`
	CPU       jsonNumber `json:"cpu_ns"`
	OtherCPU  jsonNumber `json:"cpu_outside_ns"`
	Memory    jsonNumber `json:"memory_bytes"`
	Maps      jsonNumber `json:"bpf_map_bytes"`

	Sampled  jsonNumber        `json:"sampled_ns"`
	Events   jsonNumber        `json:"sampled_events"`
	Programs []jsonProgramCost `json:"programs"`
}

type jsonProgramCost struct {
	Name string     `json:"name"`
	Runs jsonNumber `json:"runs"`
	Time jsonNumber `json:"ns"`
}

func jsonCostOf(r *report.Report) jsonCost {
	c := &r.Cost
	return jsonCost{
		Known: c.Known, NotSampled: c.NoEvent,
		Lost: finite(float64(c.Lost)), OfWindow: ratio(float64(c.Lost), float64(r.Window.Duration)),
		OfCPU: ratio(float64(c.Lost), float64(c.TargetCPU)), AtMost: c.AtMost, PerEvent: finite(c.PerEvent),
		CallLonger: finite(c.CallLonger), CallsPerSecond: finite(c.CallsPerSecond),
		TargetCPU: natural(int64(c.TargetCPU)), CPU: natural(int64(c.CPU)), OtherCPU: natural(int64(c.OtherCPU)),
		Memory: jsonNumber(c.Memory), Maps: jsonNumber(c.Maps),
		Sampled: natural(int64(c.Sampled)), Events: jsonNumber(c.CostFacts.Events),
		Programs: each(c.Programs, func(p *report.ProgramCost) jsonProgramCost {
			return jsonProgramCost{valid(p.Name), jsonNumber(p.Runs), jsonNumber(p.Time)}
		}),
	}
}

// ratio returns a part of a whole, 0 if there is none.
func ratio(of, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return finite(of / whole)
}
