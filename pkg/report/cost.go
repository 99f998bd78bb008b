package report

import "github.com/mmtrace/mmtrace/pkg/event"

// CostFacts are what was measured of the tracing itself. Times are in
// nanoseconds, sizes in bytes. All are 0 in a recording that has none.
type CostFacts struct {
	// CallLonger and MappingLonger are by how much a call of the tracer's own took
	// longer with the programs attached: one that maps nothing, and one that maps.
	CallLonger, MappingLonger float64
	// Idle, IdleLock and IdleMapping are what the kernel's statistics of BPF programs
	// told of calls that are not recorded: of a run at the end of a call that maps
	// nothing, of a run at the lock, and of both runs for a call that maps.
	Idle, IdleLock, IdleMapping float64
	// Sampled is how much of the window these statistics were on; Events were made
	// in that time, and the programs did so much.
	Sampled  event.Time
	Events   uint64
	Programs []ProgramCost
	// Quiet is what those of mapping calls did in the moments of it that had no event.
	Quiet []ProgramCost
	// NotSampled says why they were never on, "" if they were.
	NotSampled string
	// TargetCPU is the CPU time of the targets in the window.
	TargetCPU event.Time
	// CPU is the tracer's own CPU time in the window, OtherCPU before and after it.
	CPU, OtherCPU event.Time
	// Memory is the most that the tracer had in memory, Maps what the kernel holds
	// for its BPF programs.
	Memory, Maps uint64
}

// A ProgramCost is what one BPF program did while statistics were on.
type ProgramCost struct {
	Name string
	Role string // "return" and "lock" are run by mapping calls; "" for births and deaths
	Runs uint64
	Time uint64 // in ns
}

// A Cost is what tracing cost.
type Cost struct {
	CostFacts
	// Known says that there is anything to tell.
	Known bool
	// PerEvent is by how many nanoseconds an event delayed the target, and Lost what
	// all events of the window did, in ns. Both are 0 if NoEvent says why.
	PerEvent float64
	Lost     event.Time
	// AtMost says that other processes' calls were so many beside the events that
	// PerEvent and Lost are upper bounds.
	AtMost bool
	// NoEvent is "" or why PerEvent is not known: "right", "error", "none" (no event
	// of the window came while the statistics were on).
	NoEvent string
	// CallsPerSecond is how many system calls the machine made, of all processes; 0
	// if that was not counted.
	CallsPerSecond float64
}

// What CostFacts.NotSampled says.
const (
	NotSampledRight = "right" // CAP_SYS_ADMIN is missing
	NotSampledError = "error"
)

// noEvents is Cost.NoEvent when none was sampled.
const noEvents = "none"

// Bounds of telling the time of events from that of all other runs.
const (
	// quietRuns is how many runs in quiet moments tell how long one takes.
	quietRuns = 500
	// By what part another run may differ from those in quiet moments, and from the
	// tracer's own.
	quietSpread, ownSpread = 0.05, 0.2
	// unsure is what part of the result may be in doubt without a word.
	unsure = 1. / 3
)

// costOf works out what an event cost. Of the time that the programs took in the
// sampled moments with events, what other calls took is left out; so is what the
// statistics add to each run, since it is in the time of the tracer's own
// mapping calls, too, whose true cost was measured without them.
func costOf(f *Facts) Cost {
	c := Cost{CostFacts: f.Cost}
	c.Known = c.Memory > 0 || c.CPU > 0 || len(c.Programs) > 0
	if c.Sampled <= 0 {
		c.NoEvent = c.NotSampled
		return c
	}
	atReturn := effortOf("return", &c)
	atLock := effortOf("lock", &c)
	c.CallsPerSecond = atReturn.runs / (float64(c.Sampled) / 1e9)
	if c.Events == 0 {
		c.NoEvent = noEvents
		return c
	}
	events := float64(c.Events)
	mine1, doubt1 := atReturn.less(events, c.Idle)
	mine2, doubt2 := atLock.less(events, c.IdleLock)
	c.PerEvent = max(0, (mine1+mine2)/events-c.IdleMapping) + c.MappingLonger
	if doubt := (doubt1 + doubt2) / events; doubt > unsure*c.PerEvent {
		c.AtMost = true
		c.PerEvent += doubt
	}
	c.Lost = event.Time(c.PerEvent * float64(f.Kernel.Events))
	return c
}

// An effort is what the programs of a role did.
type effort struct {
	runs, time           float64
	quietRuns, quietTime float64 // of that, in moments without events
}

func effortOf(role string, c *Cost) (e effort) {
	for _, p := range c.Programs {
		if p.Role == role {
			e.runs, e.time = e.runs+float64(p.Runs), e.time+float64(p.Time)
		}
	}
	for _, p := range c.Quiet {
		if p.Role == role {
			e.quietRuns, e.quietTime = e.quietRuns+float64(p.Runs), e.quietTime+float64(p.Time)
		}
	}
	return e
}

// less returns the time of events in ns without that of other runs, and how much
// of it is in doubt. A run in a quiet moment takes what other runs do; where there
// were few such, own is what one of the tracer took.
func (e effort) less(events, own float64) (time, doubt float64) {
	spread := ownSpread
	if e.quietRuns >= quietRuns {
		own, spread = e.quietTime/e.quietRuns, quietSpread
	}
	others := max(0, e.runs-e.quietRuns-events) * own
	return e.time - e.quietTime - others, spread * others
}
