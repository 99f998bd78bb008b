package procfs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// PF_KTHREAD of include/linux/sched.h: a task that user space never ran in.
const kernelThread = 0x00200000

// A Stat holds the fields of /proc/PID/stat that are of use here.
type Stat struct {
	PID        event.PID
	Parent     event.PID
	Comm       string
	State      byte // 'R', 'S', 'Z' for a zombie, 'X' for dead, ...
	Flags      uint64
	StartTicks uint64 // clock ticks since boot
}

// Kernel reports whether the task is a kernel thread.
func (s Stat) Kernel() bool { return s.Flags&kernelThread != 0 }

// Ended reports whether the task is dead or a zombie.
func (s Stat) Ended() bool { return s.State == 'Z' || s.State == 'X' || s.State == 'x' }

// ParseStat reads the text of /proc/PID/stat. The name stands in parentheses
// and may hold any byte, also spaces and parentheses; the last ")" ends it.
func ParseStat(text []byte) (Stat, error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 2 || end < open {
		return Stat{}, fmt.Errorf("no name in parentheses: %.80q", text)
	}
	pid, err := strconv.ParseUint(string(text[:open-1]), 10, 32)
	if err != nil {
		return Stat{}, fmt.Errorf("not a pid: %.80q", text[:open-1])
	}
	f := strings.Fields(string(text[end+1:])) // f[0] is field 3 of proc_pid_stat(5)
	if len(f) < 20 || len(f[0]) != 1 {
		return Stat{}, fmt.Errorf("fields are missing: %.80q", text)
	}
	s := Stat{PID: event.PID(pid), Comm: string(text[open+1 : end]), State: f[0][0]}
	parent, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		return Stat{}, fmt.Errorf("not a parent: %q", f[1])
	}
	s.Parent = event.PID(parent)
	if s.Flags, err = strconv.ParseUint(f[6], 10, 64); err != nil {
		return Stat{}, fmt.Errorf("not flags: %q", f[6])
	}
	if s.StartTicks, err = strconv.ParseUint(f[19], 10, 64); err != nil {
		return Stat{}, fmt.Errorf("not a start time: %q", f[19])
	}
	return s, nil
}

// A Status holds the fields of /proc/PID/status that are of use here.
type Status struct {
	Name    string // escaped by the kernel: \n and \\
	State   byte
	Tgid    event.PID
	Threads int
	// NSpid is the process's id in each pid namespace that it is visible in,
	// from that of the mounted /proc inwards; nil before Linux 4.1.
	NSpid []event.PID
	UID   uint32 // effective
}

// ParseStatus reads the text of /proc/PID/status. Fields that are not there
// stay zero, but a Tgid must be.
func ParseStatus(text []byte) (Status, error) {
	var s Status
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok {
			continue
		}
		if err := s.set(key, strings.Fields(value)); err != nil {
			return Status{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	if s.Tgid == 0 {
		return Status{}, fmt.Errorf("no Tgid: %.80q", text)
	}
	return s, nil
}

// set stores the value of one line, cut into words.
func (s *Status) set(key string, words []string) error {
	if len(words) == 0 {
		return nil
	}
	switch key {
	case "Name":
		s.Name = strings.Join(words, " ")
	case "State":
		s.State = words[0][0]
	case "Tgid", "NSpid":
		pids, err := parsePIDs(words)
		if err != nil {
			return err
		}
		if key == "NSpid" {
			s.NSpid = pids
		} else {
			s.Tgid = pids[0]
		}
	case "Threads":
		n, err := strconv.Atoi(words[0])
		s.Threads = n
		return err
	case "Uid":
		if len(words) < 2 {
			return fmt.Errorf("no effective id: %q", words)
		}
		n, err := strconv.ParseUint(words[1], 10, 32)
		s.UID = uint32(n)
		return err
	}
	return nil
}

func parsePIDs(words []string) ([]event.PID, error) {
	pids := make([]event.PID, len(words))
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("not a pid: %q", w)
		}
		pids[i] = event.PID(n)
	}
	return pids, nil
}
