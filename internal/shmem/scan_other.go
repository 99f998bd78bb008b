//go:build !linux

package shmem

import (
	"fmt"
	"runtime"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// Scan returns procfs.ErrNotSupported.
func Scan(Options) (*shm.Inventory, error) {
	return nil, fmt.Errorf("reading shared memory on %s: %w", runtime.GOOS, procfs.ErrNotSupported)
}
