package probe

import "time"

// An Effort is what a BPF program did, while the kernel's statistics of BPF
// programs were on.
type Effort struct {
	Runs, Time uint64 // Time in ns, the kernel's two readings of its clock included
}

func (e Effort) minus(f Effort) Effort { return Effort{e.Runs - f.Runs, e.Time - f.Time} }
func (e Effort) plus(f Effort) Effort  { return Effort{e.Runs + f.Runs, e.Time + f.Time} }

// perRun returns the ns of one run, 0 if there was none.
func (e Effort) perRun() float64 {
	if e.Runs == 0 {
		return 0
	}
	return float64(e.Time) / float64(e.Runs)
}

// OwnCalls is how long calls of this process take, in ns.
type OwnCalls struct {
	Other   float64 // a call that maps nothing
	Mapping float64 // a call that maps or unmaps
}

// A Baseline is what the programs cost a call that they do not record.
type Baseline struct {
	// Longer is by how much calls of this process take longer since the programs
	// are attached, the kernel's way to them included, with the statistics off.
	Longer OwnCalls
	// Idle, IdleLock and IdleMapping are the ns that the kernel's statistics tell:
	// of a run at the end of another call, of a run at the lock, and of all runs for
	// one mapping call.
	Idle, IdleLock, IdleMapping float64
}

// A Metered is what was measured in slices of the window.
type Metered struct {
	Time     time.Duration // that the slices make together
	Events   uint64        // records made in them
	Programs map[string]Effort
	// Quiet is what the programs of mapping calls did in the moments without an
	// event: all of it for calls that are not recorded.
	Quiet map[string]Effort
}

// Slices: short ones, since each run of each BPF program of the machine takes
// longer while the statistics are on; more often until enough events were seen.
const (
	lookEvery   = time.Millisecond
	sliceTime   = 20 * time.Millisecond
	pauseFirst  = 180 * time.Millisecond
	pauseLater  = 980 * time.Millisecond
	eventsFirst = 1000
)

// pause returns how long to wait after slice number i. Its steps are uneven, so
// that it does not fall in with what the target does at equal distances.
func pause(i int, events uint64) time.Duration {
	base := pauseFirst
	if events >= eventsFirst {
		base = pauseLater
	}
	const uneven = 61 // of 100, without a common divisor
	return base/2 + base*time.Duration(i*uneven%100)/100
}
