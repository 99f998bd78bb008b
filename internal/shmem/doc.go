// Package shmem reads the shared memory of a machine: who maps, holds and is
// attached to what.
package shmem

import (
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/pkg/shm"
)

// Dir is where objects of POSIX shared memory have their names.
const Dir = "/dev/shm"

// Options bound a scan.
type Options struct {
	// Until is when to give up; the zero time is never. An inventory that was not
	// finished says so.
	Until time.Time
	// Self leaves the caller's own process out.
	Self bool
}

// Limits of what is looked at.
const (
	maxObjects     = 1 << 20
	maxDescriptors = 1 << 20 // of one process
)

// deleted is what the kernel puts behind the path of a file without a name.
const deleted = " (deleted)"

// NameOf takes the kernel's path of a mapped or open file apart: what it is by its
// path, and its name. Kind is "" for a file that a path does not tell more of.
func NameOf(path string) (kind shm.Kind, name string, gone bool) {
	name, gone = strings.CutSuffix(path, deleted)
	switch {
	case gone && strings.HasPrefix(name, "/memfd:"):
		return shm.Memfd, name[len("/memfd:"):], gone
	case gone && strings.HasPrefix(name, "/SYSV") && len(name) == len("/SYSV00000000"):
		return shm.SysV, name[len("/"):], gone
	case strings.HasPrefix(name, Dir+"/"):
		return shm.Posix, name, gone
	}
	return "", name, gone
}
