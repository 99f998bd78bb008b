package session

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// ahead is the nice value of the threads that read and apply events. A target
// that keeps every CPU busy with calls would else leave its tracer too little of
// them, and the ring would overflow. What they take is what the events cost in
// any case; the value only says that they need not queue for it.
const ahead = -10

// keepAhead gives the calling goroutine a thread of its own, preferred by the
// scheduler, and returns what ends that. Without the privilege it changes nothing.
func keepAhead() (end func()) {
	runtime.LockOSThread()
	self := unix.Gettid()
	before, err := unix.Getpriority(unix.PRIO_PROCESS, self)
	if err != nil || unix.Setpriority(unix.PRIO_PROCESS, self, ahead) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		// The system call answers 20 less the nice value, which is never negative.
		if unix.Setpriority(unix.PRIO_PROCESS, self, 20-before) == nil {
			runtime.UnlockOSThread() // else the thread ends with the goroutine
		}
	}
}
