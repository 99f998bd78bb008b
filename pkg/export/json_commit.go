package export

import "github.com/mmtrace/mmtrace/pkg/report"

// A jsonCommitment tells address space from memory.
type jsonCommitment struct {
	Reserved      jsonNumber `json:"reserved_bytes"`
	Committed     jsonNumber `json:"committed_bytes"`
	Overlaid      jsonNumber `json:"overlaid_bytes"`
	Present       jsonNumber `json:"resident_bytes"`
	Closed        jsonNumber `json:"closed_bytes"`
	ClosedHeld    jsonNumber `json:"closed_held_bytes"`
	NoReserve     jsonNumber `json:"noreserve_bytes"`
	Untouched     jsonNumber `json:"untouched_bytes"`
	Returned      jsonNumber `json:"returned_bytes"`
	ReturnedLazy  jsonNumber `json:"returned_lazy_bytes"`
	ReturnedCalls jsonNumber `json:"returned_calls"`
	LazyHeld      jsonNumber `json:"lazy_resident_bytes"`
	LazyUnknown   jsonNumber `json:"lazy_unknown_bytes"`
}

func jsonCommitmentOf(c *report.Commitment) jsonCommitment {
	return jsonCommitment{
		Reserved: jsonNumber(c.Reserved), Committed: jsonNumber(c.Committed), Overlaid: jsonNumber(c.Overlaid), Present: jsonNumber(c.Present),
		Closed: jsonNumber(c.Closed), ClosedHeld: jsonNumber(c.ClosedHeld), NoReserve: jsonNumber(c.NoReserve), Untouched: jsonNumber(c.Untouched),
		Returned: jsonNumber(c.Returned), ReturnedLazy: jsonNumber(c.ReturnedLazy), ReturnedCalls: jsonNumber(c.ReturnedCalls),
		LazyHeld: jsonNumber(c.LazyHeld), LazyUnknown: jsonNumber(c.LazyUnknown),
	}
}
