package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The thread that calls exec becomes the process's first; another thread in its
// place would lose what a tracer attached to that one. So the child keeps main
// on the first thread.
func init() {
	if len(os.Args) > 1 && os.Args[1] == execStoppedVerb {
		runtime.LockOSThread()
	}
}

// goOnWithoutParent makes the kernel send SIGCONT when the parent ends, however
// it ends: nobody else would let a command go that it stopped at its exec. This
// outlives execve, but not that of a set-user-ID program, nor a change of the
// user, so it comes after dropTo. To a command that runs the signal means
// nothing.
func goOnWithoutParent() error {
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGCONT), 0, 0, 0)
}

// dropTo becomes the user of runAs.ids, in all threads.
func dropTo(ids string) error {
	if ids == "" {
		return nil
	}
	part := strings.SplitN(ids, ":", 3)
	if len(part) != 3 {
		return syscall.EINVAL
	}
	uid, err1 := strconv.Atoi(part[0])
	gid, err2 := strconv.Atoi(part[1])
	if err1 != nil || err2 != nil {
		return syscall.EINVAL
	}
	var groups []int
	for g := range strings.SplitSeq(part[2], ",") {
		if n, err := strconv.Atoi(g); err == nil {
			groups = append(groups, n)
		}
	}
	if err := syscall.Setgroups(groups); err != nil {
		return err
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return err
	}
	return syscall.Setresuid(uid, uid, uid)
}
