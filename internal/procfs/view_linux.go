package procfs

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A View is the files that a process sees. It stays what it is when the process is
// gone. Its methods must be called from one goroutine at a time.
type View struct {
	root   int
	mounts *os.File
}

// OwnView opens the view of the caller.
func OwnView() (*View, error) { return openView(unix.AT_FDCWD, "/proc/self/") }

// View opens the view of the process.
func (p *Process) View() (*View, error) {
	v, err := openView(p.dir, "")
	if err != nil {
		return nil, p.wrap("root", err)
	}
	return v, nil
}

func openView(dir int, prefix string) (*View, error) {
	root, err := unix.Openat(dir, prefix+"root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Openat(dir, prefix+"mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(root)
		return nil, err
	}
	return &View{root, os.NewFile(uintptr(fd), "mountinfo")}, nil
}

// Open opens the file of an event.Code by its name. It returns ErrNoFile unless what
// it finds is that very file, unchanged. The caller closes the result, whose name is
// the path in the view.
//
// Where file systems stack others, or have parts with numbers of their own, stat and
// maps do not agree about devices. So a file is known by the mount that it was found
// on, which tells the device that maps show.
func (v *View) Open(file event.FileID, name string) (*os.File, error) {
	if _, err := v.mounts.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading mounts: %w", err)
	}
	mounts, err := ParseMounts(v.mounts)
	if err != nil {
		return nil, fmt.Errorf("reading mounts: %w", err)
	}
	ms, paths := places(mounts, file, name)
	for i, path := range paths {
		if f := v.openOn(ms[i].ID, path, file); f != nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("opening %q of device %d:%d: %w", name, file.Dev>>32, uint32(file.Dev), ErrNoFile)
}

// openOn opens a path if it leads to the file on the given mount.
func (v *View) openOn(mount uint64, path string, file event.FileID) *os.File {
	fd, err := unix.Openat2(v.root, path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	const want = unix.STATX_BASIC_STATS | unix.STATX_MNT_ID
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, want, &st) != nil || st.Mask&want != want {
		return nil
	}
	modified := st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec)
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mnt_id != mount ||
		st.Ino != file.Inode || st.Size != file.Size || modified != file.Modified {
		return nil
	}
	// Opening anew by descriptor cannot meet another file.
	r, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(r), path)
}

// Close gives back what the view holds.
func (v *View) Close() error {
	_ = unix.Close(v.root)
	return v.mounts.Close()
}
