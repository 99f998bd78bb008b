package symbol

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"
)

// testRoot returns a Root at a new directory that has /tmp.
func testRoot(t *testing.T) (*Root, string) {
	t.Helper()
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return &Root{dir: dir, pid: 7, uid: uint32(os.Getuid())}, path
}

func TestParseStatus(t *testing.T) {
	pid, uid, err := parseStatus([]byte("Name:\tx\nUid:\t1\t2\t3\t4\nNSpid:\t4711\t12\n"))
	if diff := cmp.Diff([]any{12, uint32(2), nil}, []any{pid, uid, err}); diff != "" {
		t.Error(diff)
	}
}

func TestOwnPerfMap(t *testing.T) {
	name := fmt.Sprintf("/tmp/perf-%d.map", os.Getpid())
	if err := os.WriteFile(name, []byte("1000 10 f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(name)
	r, err := OpenRoot(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := r.PerfMap()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "1000 10 f\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// A link leads to where it leads in the process's own root, and what is no
// regular file is not opened.
func TestPerfMapOfAHostileProcess(t *testing.T) {
	outside := source(t, "secret", "x")
	r, dir := testRoot(t)
	name := filepath.Join(dir, "tmp/perf-7.map")
	if err := os.Symlink(filepath.Join(outside, "secret"), name); err != nil {
		t.Fatal(err)
	}
	if f, err := r.PerfMap(); !errors.Is(err, os.ErrNotExist) {
		t.Error(f, err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := r.PerfMap(); !errors.Is(err, errRegular) {
		t.Error(f, err)
	}
}

func TestPerfMapOfSomebodyElse(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	r, dir := testRoot(t)
	name := filepath.Join(dir, "tmp/perf-7.map")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.uid = 1000
	for uid, want := range map[int]error{0: nil, 1000: nil, 1001: errOwner} {
		if err := os.Chown(name, uid, -1); err != nil {
			t.Fatal(err)
		}
		f, err := r.PerfMap()
		if !errors.Is(err, want) {
			t.Errorf("owner %d: %v", uid, err)
		}
		if err == nil {
			f.Close()
		}
	}
}
