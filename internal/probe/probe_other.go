//go:build !linux

package probe

import (
	"fmt"
	"runtime"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Probe cannot be had here.
type Probe struct{}

// Open returns ErrNotSupported.
func Open(Options) (*Probe, error) {
	return nil, fmt.Errorf("tracing on %s: %w", runtime.GOOS, ErrNotSupported)
}

// Add returns ErrNotSupported.
func (*Probe) Add([]Target) ([]Found, error) { return nil, ErrNotSupported }

// Read returns ErrNotSupported.
func (*Probe) Read(*event.Event, time.Time) error { return ErrNotSupported }

// Sequence returns ErrNotSupported.
func (*Probe) Sequence(event.SpaceID) (seq, lost uint64, err error) { return 0, 0, ErrNotSupported }

// Counters returns ErrNotSupported.
func (*Probe) Counters() (Counters, error) { return Counters{}, ErrNotSupported }

// Close does nothing.
func (*Probe) Close() error { return nil }
