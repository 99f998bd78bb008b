//go:build unix

package main

import (
	"os"
	"syscall"
)

var (
	interimSignal   os.Signal = syscall.SIGUSR1
	terminateSignal os.Signal = syscall.SIGTERM
)
