package procfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestOpenRegion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file\nof two lines")
	content := []byte("content")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)

	p := mustOpen(t, event.PID(os.Getpid()))
	reg := regionOf(t, p, path)
	if got := readRegion(t, p, reg); got != "content" {
		t.Errorf("read %q", got)
	}

	moved := reg
	moved.Start++ // no such link in map_files: the path is used
	if got := readRegion(t, p, moved); got != "content" {
		t.Errorf("by its path: read %q", got)
	}
	moved.Inode++
	if _, err := p.OpenRegion(moved); !errors.Is(err, ErrNoFile) {
		t.Errorf("another inode: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	reg = regionOf(t, p, path+" (deleted)")
	if g, err := p.OpenRegion(reg); err == nil {
		text, _ := io.ReadAll(g)
		g.Close()
		if string(text) != "content" {
			t.Errorf("deleted: read %q", text)
		}
	} else if os.Geteuid() == 0 {
		t.Errorf("deleted: %v", err)
	}
	if _, err := p.OpenRegion(event.Region{Path: "[heap]"}); !errors.Is(err, ErrNoFile) {
		t.Errorf("no file: %v", err)
	}
}

func regionOf(t *testing.T, p *Process, path string) event.Region {
	t.Helper()
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions {
		if r.Path == path {
			return r
		}
	}
	t.Fatalf("no region of %q", path)
	return event.Region{}
}

func readRegion(t *testing.T, p *Process, reg event.Region) string {
	t.Helper()
	f, err := p.OpenRegion(reg)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
