package main

import (
	"errors"
	"io/fs"

	"github.com/mmtrace/mmtrace/internal/procfs"
)

// Exit codes. With a command after "--" the code is the command's own, 128+n if
// signal n ended it, unless it is exitFailOn.
const (
	exitOK           = 0
	exitFailure      = 1
	exitUsage        = 2
	exitFailOn       = 3
	exitNotPermitted = 4
	exitNoTarget     = 5
	exitIncomplete   = 6
	exitCannotExec   = 126 // the command is there but cannot be run, as in sh(1)
	exitNotFound     = 127 // there is no such command
	exitInterrupted  = 130
)

// errInterrupted ends a run at the second signal. There is nothing to say: the
// user knows.
var errInterrupted = errors.New("interrupted")

// A usageError says what is wrong with the command line.
type usageError struct {
	msg    string
	advice []advice
}

func (e *usageError) Error() string { return e.msg }

// exitCode returns the code that stands for a failure, in the order in which
// the kinds exclude each other: an output that may not be written is a failure,
// not a lack of rights to trace.
func exitCode(err error) int {
	var (
		usage  *usageError
		output *outputError
		start  *startError
		thread *procfs.ErrThread
		gone   *goneError
	)
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &output):
		return exitFailure
	case errors.As(err, &start):
		return start.code
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &thread), errors.As(err, &gone), errors.Is(err, errNotCalled),
		errors.Is(err, procfs.ErrNoProcess), errors.Is(err, procfs.ErrZombie),
		errors.Is(err, procfs.ErrKernelThread):
		return exitNoTarget
	case errors.Is(err, fs.ErrPermission):
		return exitNotPermitted
	}
	return exitFailure
}
