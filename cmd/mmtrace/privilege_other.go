//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/mmtrace/mmtrace/internal/procfs"
)

func missingCaps() ([]string, error) {
	return nil, fmt.Errorf("tracing on %s: %w", runtime.GOOS, procfs.ErrNotSupported)
}

func runsAsRoot() bool { return os.Geteuid() == 0 }
