package procfs

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Mount is one line of mountinfo.
type Mount struct {
	ID    uint64
	Dev   uint64 // of the file system: major<<32 | minor
	Root  string // which of its directories, or files, is mounted
	Point string // where, as the process sees it
	Type  string
}

// ParseMounts reads a /proc/PID/mountinfo file. A line that is no mount is an error.
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
func ParseMounts(r io.Reader) ([]Mount, error) {
	var out []Mount
	br := bufio.NewReader(r) // options can be longer than a Scanner takes
	for n := 1; ; n++ {
		line, err := br.ReadString('\n')
		if line == "" && err == io.EOF {
			return out, nil
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		before, after, ok := strings.Cut(line, " - ")
		front, back := strings.Fields(before), strings.Fields(after)
		if !ok || len(front) < 5 || len(back) < 1 {
			return nil, fmt.Errorf("line %d: not a mount: %.80q", n, line)
		}
		id, err := strconv.ParseUint(front[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: not a mount: %.80q", n, line)
		}
		var major, minor uint64
		if k, err := fmt.Sscanf(front[2], "%d:%d", &major, &minor); k != 2 {
			return nil, fmt.Errorf("line %d: not a device: %.80q: %w", n, front[2], err)
		}
		out = append(out, Mount{id, major<<32 | minor, unoctal(front[3]), unoctal(front[4]), back[0]})
	}
}

// unoctal undoes what the kernel's seq_path does with space, tab, newline, backslash
// and #: three octal digits behind a backslash.
func unoctal(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		if len(s) >= 4 && s[0] == '\\' {
			if v, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// path returns where a file of the given path in its file system is seen through m,
// if it is.
func (m *Mount) path(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(m.Root, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimSuffix(m.Point, "/") + rest, true
}

// places returns by which mounts, and where, the file of an event.Code may be seen;
// the newest mount, which lies over those before it, comes first.
func places(mounts []Mount, file event.FileID, name string) (ms []Mount, paths []string) {
	if name == "" {
		return nil, nil
	}
	for i := len(mounts) - 1; i >= 0; i-- {
		if mounts[i].Dev != file.Dev {
			continue
		}
		if path, ok := mounts[i].path(name); ok {
			ms = append(ms, mounts[i])
			paths = append(paths, path)
		}
	}
	return ms, paths
}
