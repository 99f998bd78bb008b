package report

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// Facts are what a report needs beside the events: what was asked for, and what
// the machine told. They travel in a recording.
type Facts struct {
	Tool    Tool
	Host    Host
	Targets []TargetFacts
	Window  Window
	// Begin and End are the window on the clock of the events.
	Begin, End event.Time
	Kernel     KernelFacts
	// Resident is what of the outstanding mappings is in memory at the end.
	Resident ResidenceFacts
	// Missing are the files of code that do not tell all about their addresses.
	Missing []MissingFacts
	// Trend is what was sampled through the window.
	Trend TrendFacts
	// Overhead is what tracing cost, without AssumedMappings.
	Overhead Overhead
	// Cost is what the tracing took.
	Cost CostFacts
	// Tail is what of the window verdicts leave out. It is a matter of the report, not
	// of the trace, and so in no recording.
	Tail verdict.Tail `json:"-"`
	// Files is what was read of files and of shared memory at the end.
	Files FilesFacts
}

// TargetFacts are what was read about a process when it came under trace.
type TargetFacts struct {
	PID        event.PID
	Space      event.SpaceID `json:",omitempty"` // that it used then; 0 if it is not known
	Parent     event.PID     // for a followed child
	Comm       string
	Exe        string
	Cmdline    []string
	StartTicks uint64
	// Is32 says that it runs a 32-bit program.
	Is32 bool
	// AddressLimit is how large its address space may be in bytes (ulimit -v); 0 if
	// there is no limit, or it is not known.
	AddressLimit uint64 `json:",omitempty"`
}

// MissingFacts say what a file of code does not tell.
type MissingFacts struct {
	Path    string
	BuildID string
	// Nameless and Lineless count the addresses without a function and without a
	// source position.
	Nameless, Lineless uint64
}

// KernelFacts are what the kernel side counted.
type KernelFacts struct {
	Events, Lost, Missed, MapFull uint64
	OrderMode, OrderWhy           string // as in Quality
}
