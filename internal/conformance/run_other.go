//go:build !linux

package conformance

import (
	"fmt"
	"runtime"
)

// Run returns ErrNotSupported.
func Run(c Command, _ Hooks) (Result, error) {
	return Result{}, fmt.Errorf("driving %q on %s: %w", c.Argv, runtime.GOOS, ErrNotSupported)
}
