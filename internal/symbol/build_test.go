package symbol

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// need returns the path of a program. Without it the test is skipped, and
// fails where everything has to be there.
func need(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err == nil {
		return p
	}
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// run runs a program in dir and returns its output.
func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(need(t, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if e, ok := err.(*exec.ExitError); ok {
			stderr = e.Stderr
		}
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr)
	}
	return string(out)
}

// source writes text to a new directory and returns the directory.
func source(t testing.TB, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// module registers the file at path with a new Symbolizer, which does not look
// for debug files on this machine.
func module(t testing.TB, path string) *Module {
	t.Helper()
	return moduleWith(t, path, Options{Dirs: []string{}})
}

// moduleWith is module with other options.
func moduleWith(t testing.TB, path string, o Options) *Module {
	t.Helper()
	s := NewWith(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.Module(path, open(t, path))
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// offsetOf returns the file offset of a virtual address of m.
func offsetOf(t testing.TB, m *Module, addr uint64) uint64 {
	t.Helper()
	im, err := m.image()
	if err != nil {
		t.Fatal(err)
	}
	off, _, ok := im.offset(addr)
	if !ok {
		t.Fatalf("%s: no byte at %#x", m.path, addr)
	}
	return off
}

// behead copies the file at path and wipes what its header says of sections.
func behead(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[40:48])
	clear(b[60:64])
	out := filepath.Join(t.TempDir(), "headless")
	if err := os.WriteFile(out, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
