package main

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
)

const execStoppedVerb = "exec-stopped"

// newExecStopped is the child of startCommand:
//
//	exec-stopped IDS PATH ARG0 [ARG...]
func newExecStopped() *cobra.Command {
	return &cobra.Command{
		Use:                execStoppedVerb,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) < 3 {
				return &usageError{msg: execStoppedVerb + " is for mmtrace itself"}
			}
			execStopped(args[0], args[1], args[2:])
			os.Exit(exitCannotExec) // the parent tells why
			return nil
		},
	}
}

// execStopped becomes the command when the parent says so. It returns only if
// it cannot, after it told the parent.
func execStopped(ids, path string, argv []string) {
	syscall.CloseOnExec(goFD)
	syscall.CloseOnExec(statusFD)
	goes, status := os.NewFile(goFD, "go"), os.NewFile(statusFD, "status")
	err := dropTo(ids)
	if err == nil {
		err = goOnWithoutParent()
	}
	if err != nil {
		tell(status, err)
		return
	}
	if _, err := status.WriteString(readyMark); err != nil {
		return
	}
	if n, err := goes.Read(make([]byte, 1)); n == 0 || err != nil {
		return // the parent is gone
	}
	tell(status, syscall.Exec(path, argv, os.Environ()))
}

// tell writes the number of err.
func tell(status *os.File, err error) {
	no := syscall.EIO
	errors.As(err, &no)
	status.WriteString(strconv.Itoa(int(no)))
}
