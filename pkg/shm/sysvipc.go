package shm

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// Flags beside the permissions, of include/linux/shm.h.
const (
	shmDest   = 0o1000
	permsMask = 0o777
)

// ParseSegments reads the text of /proc/sysvipc/shm (ipc/shm.c,
// sysvipc_shm_proc_show) in its order. Columns are found by their names: in-memory
// sizes came later than the others, and stay 0 where there are none. A line that is
// no segment is an error with its number.
func ParseSegments(r io.Reader) ([]Segment, error) {
	sc := bufio.NewScanner(r)
	if !sc.Scan() {
		return nil, sc.Err() // a kernel without System V shared memory
	}
	names := strings.Fields(sc.Text())
	var out []Segment
	for n := 2; sc.Scan(); n++ {
		words := strings.Fields(sc.Text())
		if len(words) != len(names) || len(words) == 0 {
			return nil, fmt.Errorf("line %d: not a segment: %.80q", n, sc.Text())
		}
		var s Segment
		for i, name := range names {
			if err := s.set(name, words[i]); err != nil {
				return nil, fmt.Errorf("line %d: column %s: %w", n, name, err)
			}
		}
		out = append(out, s)
	}
	return out, sc.Err()
}

// set takes one column; one that is not known is passed over.
func (s *Segment) set(name, word string) error {
	base := 10
	if name == "perms" {
		base = 8
	}
	v, err := strconv.ParseInt(word, base, 64)
	if err != nil {
		return fmt.Errorf("not a number: %q", word)
	}
	switch name {
	case "key":
		s.Key = uint32(v)
	case "shmid":
		s.ID = int32(v)
	case "perms":
		s.Mode, s.Removed = uint32(v)&permsMask, v&shmDest != 0
	case "size":
		s.Size = uint64(v)
	case "cpid":
		s.Creator = event.PID(v)
	case "lpid":
		s.Last = event.PID(v)
	case "nattch":
		s.Attached = uint64(v)
	case "uid":
		s.UID = uint32(v)
	case "atime":
		s.AttachedAt = v
	case "dtime":
		s.DetachedAt = v
	case "ctime":
		s.ChangedAt = v
	case "rss":
		s.Resident = uint64(v)
	case "swap":
		s.Swapped = uint64(v)
	}
	return nil
}
