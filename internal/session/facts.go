package session

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// newFacts returns what is known before the first event.
func newFacts(cfg Config, host procfs.Host) report.Facts {
	return report.Facts{
		Tool: cfg.Tool,
		Host: report.Host{
			Name: host.Name, Kernel: host.Kernel, Arch: host.Arch,
			PageSize: host.PageSize, CPUs: host.CPUs, MaxMapCount: host.MaxMapCount,
			Overcommit: host.Overcommit, Memory: host.Memory, Swap: host.Swap,
		},
		Window: report.Window{StartUnix: time.Now().UnixNano(), Planned: event.Time(cfg.Planned), When: cfg.When, FromExec: cfg.StopAtExec},
	}
}

// describe notes what /proc tells of a process, anew after it executed another
// program.
func (s *Session) describe(p *procfs.Process, parent event.PID, space event.SpaceID) {
	exe, _ := p.Exe() // of a process that is just ending it cannot be read
	f := report.TargetFacts{
		PID: p.PID(), Space: space, Parent: parent, Comm: p.Comm(), Exe: exe, Cmdline: p.Cmdline(), StartTicks: p.StartTicks(), Is32: p.Is32(), AddressLimit: p.AddressLimit(),
	}
	for i := range s.facts.Targets {
		if s.facts.Targets[i].PID == f.PID && s.facts.Targets[i].StartTicks == f.StartTicks {
			s.facts.Targets[i] = f
			return
		}
	}
	s.facts.Targets = append(s.facts.Targets, f)
}

// clockOffset is how far CLOCK_MONOTONIC is ahead of the kernel's own, by which BPF
// programs tell the time, in a time namespace (time_namespaces(7)).
var clockOffset = sync.OnceValue(func() event.Time {
	d, err := procfs.MonotonicOffset()
	if err != nil {
		return 0 // before Linux 5.6, or without /proc
	}
	return event.Time(d)
})

// now reads the clock of the events.
func now() event.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // the clock always exists
	}
	return event.Time(ts.Nano()) - clockOffset()
}
