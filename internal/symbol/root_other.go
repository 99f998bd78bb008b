//go:build !linux

package symbol

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// errSystem means that the kernel has no such thing.
var errSystem = errors.New("not supported on this system")

// A Root is the root directory of a process.
type Root struct{}

// OpenRoot returns an error.
func OpenRoot(int) (*Root, error) {
	return nil, fmt.Errorf("opening the root of a process on %s: %w", runtime.GOOS, errSystem)
}

// Open returns an error.
func (*Root) Open(path string) (*os.File, error) {
	return nil, fmt.Errorf("opening %s: %w", path, errSystem)
}

// PerfMap returns an error.
func (*Root) PerfMap() (*os.File, error) {
	return nil, fmt.Errorf("opening a perf map: %w", errSystem)
}

// Close does nothing.
func (*Root) Close() error { return nil }
