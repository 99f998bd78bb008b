package report

import "github.com/mmtrace/mmtrace/pkg/event"

// Overhead is what tracing cost the targets, and what was left out to keep it
// down.
type Overhead struct {
	// Limit is how much of the targets' own CPU time tracing may take, 0.05 for
	// 5 %; 0 if nobody set a limit, and then nothing was measured.
	Limit float64
	// Spent is the time of the kernel side in calls of the targets, and CPU is what
	// the targets took beside it; both in nanoseconds since the window began.
	Spent, CPU event.Time
	// Steps are what was left out from some time on, in the order of time.
	Steps []Saving
	// Unstacked counts calls of munmap without a stack for that reason.
	Unstacked uint64
	// Assumed counts stacks that were not walked but taken from the call before at
	// the same place. Checked counts those that could have been, and were walked to
	// see; Differed those of them for which the other would have been wrong.
	Assumed, Checked, Differed uint64
	// AssumedMappings counts outstanding mappings whose path was assumed.
	AssumedMappings uint64
}

// What a Saving leaves out.
const (
	SavingUnmaps = "munmap_stacks" // the stacks of munmap, and of calls that open files
	SavingHot    = "hot_stacks"    // walks of stacks that were walked often
)

// A Saving is something that was left out.
type Saving struct {
	What  string
	Time  event.Time // into the window, in nanoseconds
	Share float64    // what tracing had taken shortly before
}

// Share returns what tracing took of the targets' own CPU time.
func (o *Overhead) Share() float64 {
	if o.CPU <= 0 {
		return 0
	}
	return float64(o.Spent) / float64(o.CPU)
}

// Saved returns the step that leaves out what, nil if it was not taken.
func (o *Overhead) Saved(what string) *Saving {
	for i := range o.Steps {
		if o.Steps[i].What == what {
			return &o.Steps[i]
		}
	}
	return nil
}
