package procfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// identityOf returns what the kernel side tells of a file: its device by the mount
// that it lies on, and its path from the root of the file system.
func identityOf(t *testing.T, v *View, path string) (event.FileID, string) {
	t.Helper()
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &st); err != nil {
		t.Fatal(err)
	}
	if _, err := v.mounts.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	mounts, err := ParseMounts(v.mounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts {
		if m.ID == st.Mnt_id {
			rest := strings.TrimPrefix(path, strings.TrimSuffix(m.Point, "/"))
			return event.FileID{Dev: m.Dev, Inode: st.Ino, Size: st.Size, Modified: st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec)},
				strings.TrimSuffix(m.Root, "/") + rest
		}
	}
	t.Fatalf("%s is on no mount", path)
	return event.FileID{}, ""
}

// A file is found by its name, and only if it is the one that was told of.
func TestViewOpen(t *testing.T) {
	v, err := OwnView()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a b")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, name := identityOf(t, v, path)
	f, err := v.Open(id, name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := make([]byte, 4)
	if _, err := f.Read(text); err != nil || string(text) != "text" || f.Name() != path {
		t.Errorf("%s holds %q, %v; want %s", f.Name(), text, err, path)
	}
	if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*event.FileID, *string){
		"device": func(id *event.FileID, _ *string) { id.Dev++ },
		"inode":  func(id *event.FileID, _ *string) { id.Inode++ },
		"size":   func(id *event.FileID, _ *string) { id.Size++ },
		"time":   func(id *event.FileID, _ *string) { id.Modified++ },
		"name":   func(_ *event.FileID, name *string) { *name += "c" },
		"link":   func(_ *event.FileID, name *string) { *name = strings.TrimSuffix(*name, "a b") + "link" },
		"none":   func(_ *event.FileID, name *string) { *name = "" },
	} {
		id, name := id, name
		change(&id, &name)
		if f, err := v.Open(id, name); !errors.Is(err, ErrNoFile) {
			t.Errorf("another %s: %v, %v; want %v", what, f, err, ErrNoFile)
		}
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if f, err := v.Open(id, name); !errors.Is(err, ErrNoFile) {
		t.Errorf("written to: %v, %v; want %v", f, err, ErrNoFile)
	}
}

// A file of the same number, size and time on another file system, which lies over the
// one that was told of, is another.
func TestViewOpenCovered(t *testing.T) {
	if os.Geteuid() != 0 {
		testutil.Need(t, "root")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v, err := OwnView()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	path := filepath.Join(dir, "file")
	var ids [2]event.FileID
	var name string
	for i := range ids {
		if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }) // one that is left is in nobody's way
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		ids[i], name = identityOf(t, v, path)
	}
	under, over := ids[0], ids[1]
	if under.Inode != over.Inode || under.Dev == over.Dev {
		t.Fatalf("the files are %+v and %+v", under, over)
	}
	f, err := v.Open(over, name)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if f, err := v.Open(under, name); !errors.Is(err, ErrNoFile) {
		t.Errorf("what is covered: %v, %v; want %v", f, err, ErrNoFile)
	}
}
