package procfs

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time of all threads of the process so far, those that
// have ended, too. Reading it makes no thread wait.
func (p *Process) CPUTime() (time.Duration, error) {
	// The clock of a process, as clock_getcpuclockid(3) makes it: the complement of
	// the pid, and CPUCLOCK_SCHED of include/linux/posix-timers.h.
	const scheduled = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(^int32(p.pid)<<3|scheduled, &ts); err != nil {
		return 0, fmt.Errorf("reading the CPU time of process %d: %w", p.pid, ErrNoProcess)
	}
	return time.Duration(ts.Nano()), nil
}

// OwnCPU returns the CPU time that this process has used, without its children.
func OwnCPU() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil { // it cannot fail for oneself
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// OwnPeak returns the most bytes that this process has had in memory.
func OwnPeak() (bytes uint64, err error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	eachLine(text, func(key, value string) {
		if key == "VmHWM" {
			bytes = kilobytes(value)
		}
	})
	return bytes, nil
}
