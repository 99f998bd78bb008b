//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/mmtrace/mmtrace/internal/procfs"
)

func missingCaps([]string) ([]string, error) {
	return nil, fmt.Errorf("tracing on %s: %w", runtime.GOOS, procfs.ErrNotSupported)
}

func inUserNamespace() (inner, ok bool) { return false, false }

func runsAsRoot() bool { return os.Geteuid() == 0 }

func forbidsBPF() bool { return false }

// dropRights does nothing.
func dropRights() error { return nil }

// raiseAdmin does nothing.
func raiseAdmin() (lower func()) { return func() {} }

// ownerOf returns no owner.
func ownerOf(string) (o owner, ok bool) { return owner{}, false }
