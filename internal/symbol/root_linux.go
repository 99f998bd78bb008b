package symbol

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errOwner means that a perf map was written by somebody else.
var errOwner = errors.New("it belongs to another user")

// A Root is the root directory of a process, with the process's names for
// itself. It stays what it is when the process ends. Its methods may be called
// concurrently.
type Root struct {
	dir *os.File
	pid int    // in the innermost pid namespace
	uid uint32 // effective
}

// OpenRoot opens the root directory of a process. The caller makes sure that
// the pid still means the process after the return, and closes the result.
func OpenRoot(pid int) (*Root, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, fmt.Errorf("opening the root of process %d: %w", pid, err)
	}
	r := &Root{}
	if r.pid, r.uid, err = parseStatus(status); err != nil {
		return nil, fmt.Errorf("opening the root of process %d: %w", pid, err)
	}
	dir := fmt.Sprintf("/proc/%d/root", pid)
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the root of process %d: %w", pid, err)
	}
	r.dir = os.NewFile(uintptr(fd), dir)
	return r, nil
}

// parseStatus returns the last number of NSpid, which is the pid that the
// process sees itself, and the second of Uid, the effective one.
func parseStatus(status []byte) (pid int, uid uint32, err error) {
	for line := range bytes.Lines(status) {
		key, rest, _ := strings.Cut(string(line), ":")
		f := strings.Fields(rest)
		switch {
		case key == "NSpid" && len(f) > 0:
			pid, err = strconv.Atoi(f[len(f)-1])
		case key == "Uid" && len(f) > 1:
			var n uint64
			n, err = strconv.ParseUint(f[1], 10, 32)
			uid = uint32(n)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("parsing %q: %w", line, err)
		}
	}
	if pid == 0 {
		return 0, 0, fmt.Errorf("NSpid: %w", errRange)
	}
	return pid, uid, nil
}

// Open opens the regular file that has the path for the process. Links lead
// nowhere out of its root, and opening does not wait. It fits Options.Root.
func (r *Root) Open(path string) (*os.File, error) {
	fd, err := unix.Openat2(int(r.dir.Fd()), path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("opening %s: %w", path, errRegular)
	}
	// Opening anew by descriptor cannot meet another file.
	f, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return os.NewFile(uintptr(f), path), nil
}

// PerfMap opens /tmp/perf-PID.map of the process, by its own names of both. The
// file must belong to the process's user or to root.
func (r *Root) PerfMap() (*os.File, error) {
	path := fmt.Sprintf("/tmp/perf-%d.map", r.pid)
	f, err := r.Open(path)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	if err == nil && st.Uid != 0 && st.Uid != r.uid {
		err = errOwner
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return f, nil
}

// Close closes the directory.
func (r *Root) Close() error { return r.dir.Close() }
