//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// catchBrokenPipe turns the signal for a reader that has gone into an error of
// write. It is not ignored: a command would inherit that.
func catchBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

var (
	interimSignal   os.Signal = syscall.SIGUSR1
	terminateSignal os.Signal = syscall.SIGTERM
)
