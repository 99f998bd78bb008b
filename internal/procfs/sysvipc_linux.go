package procfs

import (
	"fmt"
	"os"

	"github.com/mmtrace/mmtrace/pkg/shm"
)

// Segments returns the System V shared memory of the caller's IPC namespace.
func Segments() ([]shm.Segment, error) {
	f, err := os.Open("/proc/sysvipc/shm")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := shm.ParseSegments(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	return list, nil
}

// ClockTicks is the number of clock ticks in a second (USER_HZ), which is the same
// on every architecture that is built for.
const ClockTicks = 100
