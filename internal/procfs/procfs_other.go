//go:build !linux

package procfs

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A Process is one process, pinned. There is none here: Open always fails.
type Process struct{}

func notSupported(doing string) error {
	return fmt.Errorf("%s on %s: %w", doing, runtime.GOOS, ErrNotSupported)
}

// Open returns ErrNotSupported.
func Open(event.PID) (*Process, error) { return nil, notSupported("opening processes") }

// List returns ErrNotSupported.
func List() ([]Entry, error) { return nil, notSupported("listing processes") }

// Find returns ErrNotSupported.
func Find(string) ([]Entry, error) { return nil, notSupported("listing processes") }

// ReadHost returns ErrNotSupported.
func ReadHost() (Host, error) { return Host{}, notSupported("reading the kernel's name") }

// SelfNamespace returns ErrNotSupported.
func SelfNamespace(string) (uint64, error) { return 0, notSupported("reading namespaces") }

// A View is the files that a process sees. There is none here.
type View struct{}

// OwnView returns ErrNotSupported.
func OwnView() (*View, error) { return nil, notSupported("reading mounts") }

// View returns ErrNotSupported.
func (p *Process) View() (*View, error) { return nil, notSupported("reading mounts") }

// Open returns ErrNotSupported.
func (v *View) Open(event.FileID, string) (*os.File, error) {
	return nil, notSupported("opening files")
}

// Close does nothing.
func (v *View) Close() error { return nil }

// Close does nothing.
func (p *Process) Close() error { return nil }

// PID returns 0.
func (p *Process) PID() event.PID { return 0 }

// Pidfd returns -1.
func (p *Process) Pidfd() int { return -1 }

// StartTicks returns 0.
func (p *Process) StartTicks() uint64 { return 0 }

// Is32 returns false.
func (p *Process) Is32() bool { return false }

// Alive returns false.
func (p *Process) Alive() bool { return false }

// Wait returns ErrNotSupported.
func (p *Process) Wait(context.Context) error { return notSupported("waiting for processes") }

// Maps returns ErrNotSupported.
func (p *Process) Maps() ([]event.Region, error) { return nil, notSupported("reading maps") }

// Status returns ErrNotSupported.
func (p *Process) Status() (Status, error) { return Status{}, notSupported("reading status") }

// Comm returns "".
func (p *Process) Comm() string { return "" }

// Exe returns ErrNotSupported.
func (p *Process) Exe() (string, error) { return "", notSupported("reading exe") }

// AddressLimit returns 0.
func (p *Process) AddressLimit() uint64 { return 0 }

// Cmdline returns nil.
func (p *Process) Cmdline() []string { return nil }

// TotalPages returns ErrNotSupported.
func (p *Process) TotalPages() (uint64, error) { return 0, notSupported("reading statm") }

// Namespace returns ErrNotSupported.
func (p *Process) Namespace(string) (uint64, error) { return 0, notSupported("reading namespaces") }

// OpenRegion returns ErrNotSupported.
func (p *Process) OpenRegion(event.Region) (*os.File, error) {
	return nil, notSupported("opening regions")
}

// A SpaceMap cannot be had here.
type SpaceMap struct{}

// OpenMap returns ErrNotSupported.
func (p *Process) OpenMap() (*SpaceMap, error) { return nil, notSupported("reading maps") }

// Read returns ErrNotSupported.
func (m *SpaceMap) Read() ([]event.Region, error) { return nil, notSupported("reading maps") }

// Close does nothing.
func (m *SpaceMap) Close() error { return nil }

// ReadMemory returns ErrNotSupported.
func (p *Process) ReadMemory(uint64, int) ([]byte, error) { return nil, notSupported("reading memory") }

// Resident returns ErrNotSupported.
func (p *Process) Resident([]interval.Range, ResidentScan) ([]Resident, error) {
	return nil, notSupported("reading residence")
}

// LazyFree returns ErrNotSupported.
func (p *Process) LazyFree() ([]LazyFree, error) { return nil, notSupported("reading smaps") }

// A UsageReader cannot be had here.
type UsageReader struct{}

// OpenUsage returns ErrNotSupported.
func (p *Process) OpenUsage() (*UsageReader, error) { return nil, notSupported("reading status") }

// Read returns ErrNotSupported.
func (r *UsageReader) Read() (Usage, error) { return Usage{}, notSupported("reading status") }

// Close does nothing.
func (r *UsageReader) Close() error { return nil }

// A HostUsageReader cannot be had here.
type HostUsageReader struct{}

// OpenHostUsage returns ErrNotSupported.
func OpenHostUsage() (*HostUsageReader, error) { return nil, notSupported("reading meminfo") }

// Read returns ErrNotSupported.
func (r *HostUsageReader) Read() (HostUsage, error) {
	return HostUsage{}, notSupported("reading meminfo")
}

// Close does nothing.
func (r *HostUsageReader) Close() error { return nil }

// CPUTime returns ErrNotSupported.
func (p *Process) CPUTime() (time.Duration, error) { return 0, notSupported("reading CPU times") }

// OwnCPU returns 0.
func OwnCPU() time.Duration { return 0 }

// OwnPeak returns ErrNotSupported.
func OwnPeak() (bytes uint64, err error) { return 0, notSupported("reading own memory") }

// MonotonicOffset returns ErrNotSupported.
func MonotonicOffset() (time.Duration, error) { return 0, notSupported("reading time offsets") }
