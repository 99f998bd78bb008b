package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// ShmOptions are the options of ShmText and ShmJSON.
type ShmOptions struct {
	Tool report.Tool
	// Width and Color are as in TextOptions.
	Width int
	Color bool
	// Top bounds what is listed of each sort; 0 is DefaultTop, less than 0 all.
	Top int
}

// nextShm is the command that goes on with an item: it removes what is unused, and
// shows what is held. It can be pasted into a shell, whatever the name.
func nextShm(it *shm.Item) string {
	if len(it.Holders()) == 0 {
		if it.Segment != nil && it.Segment.Attached > 0 {
			return fmt.Sprintf("sudo ipcs -m -i %d", it.Segment.ID)
		}
		if it.Segment != nil {
			return fmt.Sprintf("sudo ipcrm -m %d", it.Segment.ID)
		}
		path := it.File.Path
		if path != printable(path) { // no shell takes that as it is shown
			return fmt.Sprintf("sudo find /dev/shm -xdev -inum %d -delete", it.File.Inode)
		}
		return "sudo rm " + shell([]string{path})
	}
	h := &it.Holders()[0]
	if h.Descriptors > 0 {
		return fmt.Sprintf("sudo ls -l /proc/%d/fd/%d", h.PID, h.Descriptor)
	}
	return fmt.Sprintf("sudo ls -l /proc/%d/map_files/%x-%x", h.PID, h.Start, h.End)
}

// titleShm says what an item is.
func titleShm(it *shm.Item) string {
	switch s := it.Segment; {
	case s != nil && s.Key == 0:
		return fmt.Sprintf("System V segment %d, private", s.ID)
	case s != nil:
		return fmt.Sprintf("System V segment %d, key %#x", s.ID, s.Key)
	case it.Kind == shm.Memfd:
		return `memfd "` + printable(it.File.Path) + `"`
	case it.Kind == shm.Deleted:
		return printable(it.File.Path) + " (deleted)"
	}
	return printable(it.File.Path)
}

// holdersShm says who holds an item, and how.
func holdersShm(it *shm.Item) string {
	list := it.Holders()
	if len(list) == 0 && it.Segment != nil && it.Segment.Attached > 0 {
		return "attached by processes that could not be seen"
	}
	var parts []string
	for i := range list[:min(len(list), maxNames)] {
		parts = append(parts, holderShm(&list[i]))
	}
	if n := len(list) - maxNames; n > 0 {
		parts = append(parts, "and "+processes(uint64(n))+" more")
	}
	return strings.Join(parts, "; ")
}

func holderShm(h *shm.Holder) string {
	var how []string
	if h.Mappings > 0 {
		how = append(how, "maps it"+timesShm(h.Mappings))
	}
	switch {
	case h.Descriptors == 1:
		how = append(how, fmt.Sprintf("has it open as descriptor%s%d", nbsp, h.Descriptor))
	case h.Descriptors > 1:
		how = append(how, fmt.Sprintf("has it open as %s, one of them %d", count(h.Descriptors, "descriptor"), h.Descriptor))
	}
	return fmt.Sprintf("%s (pid%s%d) %s", comm(h.Comm), nbsp, h.PID, strings.Join(how, " and "))
}

// timesShm is "" for once, which goes without saying.
func timesShm(n uint64) string {
	if n == 1 {
		return ""
	}
	return " " + times(n)
}
