package procfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func openSelf(t *testing.T) *Process {
	t.Helper()
	p, err := Open(event.PID(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// A descriptor is told with what stat(2) says of its file, also of one that was
// deleted; sockets and pipes are not.
func TestDescriptors(t *testing.T) {
	p := openSelf(t)
	path := filepath.Join(t.TempDir(), "a\nb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := f.Write(make([]byte, 7*4096)); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []bool{false, true} {
		want := Descriptor{FD: uint32(f.Fd()), Path: path, Node: statNode(t, f)}
		if gone {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			want.Path += " (deleted)"
			want.Links = 0
		}
		list, left, err := p.Descriptors(1000, time.Now().Add(time.Minute))
		if err != nil || left {
			t.Fatalf("left %v, error %v", left, err)
		}
		var got []Descriptor
		for _, d := range list {
			if d.FD == uint32(r.Fd()) || !strings.HasPrefix(d.Path, "/") {
				t.Errorf("%+v", d)
			}
			if d.FD == want.FD {
				d.Created = 0 // stat(2) does not tell
				got = append(got, d)
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if list, left, err := p.Descriptors(2, time.Now().Add(time.Minute)); len(list) > 2 || !left || err != nil {
		t.Errorf("%d of at most 2, left %v, error %v", len(list), left, err)
	}
	if _, left, err := p.Descriptors(1000, time.Time{}); !left || err != nil {
		t.Errorf("without time: left %v, error %v", left, err)
	}
}

func statNode(t *testing.T, f *os.File) Node {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return Node{Dev: uint64(unix.Major(st.Dev))<<32 | uint64(unix.Minor(st.Dev)), Inode: st.Ino, Size: uint64(st.Size),
		Allocated: uint64(st.Blocks) * 512, Links: uint32(st.Nlink), UID: st.Uid, Mode: st.Mode & 0o777, Regular: true,
		Changed: st.Mtim.Sec}
}

func TestNodes(t *testing.T) {
	p := openSelf(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/nowhere", link); err != nil {
		t.Fatal(err)
	}
	if n, err := NodeOf(link); err != nil || n.Regular || n.Size != uint64(len("/nowhere")) || n.Created == 0 {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := NodeOf(link + "x"); err == nil || err.Error() != fmt.Sprintf("statx %sx: no such file or directory", link) {
		t.Errorf("error %v", err)
	}
	if n, err := p.Node("exe"); err != nil || !n.Regular || n.Links == 0 || n.Allocated == 0 {
		t.Errorf("%+v, %v", n, err)
	}
	types, err := p.Filesystems()
	if err != nil {
		t.Fatal(err)
	}
	proc, err := NodeOf("/proc")
	if err != nil || types[proc.Dev] != "proc" {
		t.Errorf("%q, %v", types[proc.Dev], err)
	}
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	n, err := p.RegionNode(regions[0])
	if os.Geteuid() != 0 {
		return
	}
	if err != nil || n.Inode != regions[0].Inode || n.Dev != regions[0].Dev {
		t.Errorf("%+v of %+v, %v", n, regions[0], err)
	}
	if _, err := p.RegionNode(event.Region{}); err == nil || !strings.Contains(err.Error(), fs.ErrNotExist.Error()[:7]) && !strings.Contains(err.Error(), "no such") {
		t.Errorf("error %v", err)
	}
}
