// Package conformance runs unmodified programs under ptrace and stops them where
// their maps can be compared with what was tracked: when a process exits and
// nothing else can change its address space any more.
package conformance

import (
	"errors"
	"time"
)

// ErrNotSupported means that programs cannot be driven on this system.
var ErrNotSupported = errors.New("not supported")

// Hooks are called while the processes concerned are stopped. They run one at a
// time, on the thread that traces: a hook must not start a process that it waits
// for by wait4 of any child. A nil hook is not called.
type Hooks struct {
	// Exec: pid runs a new program, of which nothing has run yet. It is called
	// for the command itself, too.
	Exec func(pid int)
	// Fork: parent made the process child, which has not run yet; the call has not
	// returned in the parent, whose other threads run on. sharesVM tells whether
	// the child uses its parent's address space, as after vfork, or a copy.
	// Threads are not reported.
	Fork func(parent, child int, sharesVM bool)
	// Quiet: process pid exits, and every thread that uses its address space is
	// stopped or gone, so its map rests. tid is a thread of pid that still has
	// the map: read /proc/TID/maps, for when the leader has exited /proc/PID/maps
	// is empty. An error is kept in the result.
	//
	// It is called at the end of every address space but for those whose last
	// thread dies too fast to be stopped, and those replaced by execve. It may be
	// called for several threads that exit at the same moment, but not for all of
	// hundreds.
	Quiet func(pid, tid int) error
}

// A Command is a program to run.
type Command struct {
	Argv []string // Argv[0] is looked up in PATH
	Env  []string // added to the caller's environment
	Dir  string   // empty: the caller's
	// Limit is the time after which all that is left of the command is killed.
	// 0: one minute.
	Limit time.Duration
}

// A Result tells what came of a Command.
type Result struct {
	Exit      int  // as a shell has it: the exit status, or 128 + the signal
	TimedOut  bool // and was killed
	Left      int  // descendants that outlived the command by 5 seconds and were killed
	Execs     int  // programs started, the command included
	Processes int  // of all descendants, the command included
	Threads   int  // of all of them
	Quiet     int  // calls of Hooks.Quiet
	Missed    int  // address spaces that ended without one, by other means than execve
	Bad       []error
	Output    []byte // the last of stdout and stderr, up to 16 KiB
}
