//go:build !linux

package probe

import (
	"fmt"
	"runtime"
	"time"

	"github.com/mmtrace/mmtrace/internal/unwind"
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
func (*Probe) Read(*event.Event) error { return ErrNotSupported }

// SetDeadline does nothing.
func (*Probe) SetDeadline(time.Time) {}

// State returns ErrNotSupported.
func (*Probe) State(event.SpaceID) (State, error) { return State{}, ErrNotSupported }

// Order returns nothing.
func (*Probe) Order() (Order, string) { return OrderAuto, "" }

// SetThrift returns ErrNotSupported.
func (*Probe) SetThrift(Thrift) error { return ErrNotSupported }

// InEffect returns ErrNotSupported.
func (*Probe) InEffect(event.SpaceID, uint64) (uint64, error) { return 0, ErrNotSupported }

// AwaitReturns returns ErrNotSupported.
func (*Probe) AwaitReturns(event.SpaceID, time.Duration) error { return ErrNotSupported }

// Flush returns ErrNotSupported.
func (*Probe) Flush() error { return ErrNotSupported }

// Sequences returns ErrNotSupported.
func (*Probe) Sequences() (map[event.SpaceID]uint64, error) { return nil, ErrNotSupported }

// Counters returns ErrNotSupported.
func (*Probe) Counters() (Counters, error) { return Counters{}, ErrNotSupported }

// Detach does nothing.
func (*Probe) Detach() error { return nil }

// Close does nothing.
func (*Probe) Close() error { return nil }

// AddRules returns ErrNotSupported.
func (*Probe) AddRules(int, []unwind.Info) error { return ErrNotSupported }

// AddModules returns ErrNotSupported.
func (*Probe) AddModules([]*unwind.Table) (uint32, error) { return 0, ErrNotSupported }

// SetCode returns ErrNotSupported.
func (*Probe) SetCode(event.SpaceID, []unwind.CodeRange, uint32) error { return ErrNotSupported }

// DropCode does nothing.
func (*Probe) DropCode(event.SpaceID) {}

// MeasureOwnCalls returns nothing.
func MeasureOwnCalls() OwnCalls { return OwnCalls{} }

// Baseline returns ErrNotSupported.
func (*Probe) Baseline(OwnCalls) (Baseline, error) { return Baseline{}, ErrNotSupported }

// MapBytes returns 0.
func (*Probe) MapBytes() uint64 { return 0 }

// A Meter cannot be had here.
type Meter struct{}

// StartMeter returns nil.
func (*Probe) StartMeter(func() func()) *Meter { return nil }

// Sum returns ErrNotSupported.
func (*Meter) Sum() (Metered, error) { return Metered{}, ErrNotSupported }

// Stop returns ErrNotSupported.
func (*Meter) Stop() (Metered, error) { return Metered{}, ErrNotSupported }

// IsReturn returns false.
func IsReturn(string) bool { return false }

// IsLock returns false.
func IsLock(string) bool { return false }
