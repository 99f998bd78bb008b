package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// initPIDNamespace is the number of the first pid namespace, the host's
// (PROC_PID_INIT_INO, include/linux/proc_ns.h).
const initPIDNamespace = 0xeffffffc

var errNotCalled = errors.New("no such process")

// openTargets opens the processes that were asked for: those of -p, then those
// of --name. A process that does not exist is reported before missing rights
// are, so that nobody fetches sudo in vain. The caller closes them.
func (o *options) openTargets() ([]*procfs.Process, error) {
	pids, err := o.targetPIDs()
	if err != nil {
		return nil, err
	}
	var procs []*procfs.Process
	var denied error
	for _, pid := range pids {
		p, err := procfs.Open(pid)
		switch {
		case err == nil:
			procs = append(procs, p)
		case errors.Is(err, fs.ErrPermission):
			denied = deniedProcess(fmt.Sprintf("process %d", pid), err)
		default:
			closeAll(procs)
			return nil, err
		}
	}
	if err := checkPrivileges(); err != nil { // it says more
		denied = err
	}
	if denied != nil {
		closeAll(procs)
		return nil, denied
	}
	return procs, nil
}

func (o *options) targetPIDs() ([]event.PID, error) {
	pids := slices.Clone([]event.PID(o.pids))
	for _, name := range o.names.words {
		list, err := procfs.Find(name)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("looking for a process called %q: %w", name, errNotCalled)
		}
		for _, e := range list {
			if !slices.Contains(pids, e.PID) {
				pids = append(pids, e.PID)
			}
		}
	}
	return pids, nil
}

func closeAll(procs []*procfs.Process) {
	for _, p := range procs {
		p.Close()
	}
}

// inPIDNamespace reports whether the caller is in a pid namespace other than the
// host's; ok is false if that cannot be told.
func inPIDNamespace() (inner, ok bool) {
	id, err := procfs.SelfNamespace("pid")
	return err == nil && id != initPIDNamespace, err == nil
}
