package procfs

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/mmtrace/mmtrace/pkg/event"
)

const maxComm = 15 // bytes of a name that the kernel keeps

// List returns the processes that have an address space, by pid. Zombies and
// kernel threads are left out, and so are processes that may not be seen.
func List() ([]Entry, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var list []Entry
	for _, name := range names {
		pid, err := strconv.ParseUint(name, 10, 32)
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it is gone by now
		}
		s, err := ParseStat(text)
		if err != nil || s.Kernel() || s.Ended() {
			continue
		}
		list = append(list, Entry{event.PID(pid), s.Parent, s.Comm})
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.PID, b.PID) })
	return list, nil
}

// Find returns the processes called name, by pid: those whose comm it is, and,
// since a comm is cut after 15 bytes and a program may change it, those whose
// first argument has it as the last part of its path. The caller is never
// among them.
func Find(name string) ([]Entry, error) {
	list, err := List()
	if err != nil {
		return nil, err
	}
	self := event.PID(os.Getpid())
	return slices.DeleteFunc(list, func(e Entry) bool {
		return e.PID == self || !called(e, name)
	}), nil
}

func called(e Entry, name string) bool {
	if e.Comm == name && len(name) <= maxComm {
		return true
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID))
	if err != nil || len(text) == 0 {
		return false
	}
	arg, _, _ := bytes.Cut(text, []byte{0})
	return path.Base(string(arg)) == name
}
