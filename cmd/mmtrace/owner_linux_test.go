package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// Under sudo a file belongs to the user where they could have made it, and one that
// exists to whom it belonged.
func TestOwnerUnderSudo(t *testing.T) {
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	const user, group, third = 65534, 65533, 65532
	t.Setenv("SUDO_UID", "65534")
	t.Setenv("SUDO_GID", "65533")
	top := t.TempDir()
	dir := func(name string, mode os.FileMode, uid, gid int) string {
		path := filepath.Join(top, name)
		if err := os.Mkdir(path, mode.Perm()); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{os.Chown(path, uid, gid), os.Chmod(path, mode)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	theirs, ours := dir("theirs", 0o755, user, 0), dir("ours", 0o755, 0, 0)
	for _, tt := range []struct {
		name, dir string
		was       *owner // of a file that exists
		want      owner
	}{
		{"in their directory", theirs, nil, owner{user, group}},
		{"in root's directory", ours, nil, owner{0, 0}},
		{"in a directory of their group", dir("group", 0o775, 0, group), nil, owner{user, group}},
		{"where the group may not write", dir("shut", 0o755, 0, group), nil, owner{0, 0}},
		{"where everybody may", dir("tmp", os.ModeSticky|0o777, 0, 0), nil, owner{user, group}},
		{"in a directory of a third", dir("third", 0o755, third, third), nil, owner{0, 0}},
		{"over their file", ours, &owner{user, group}, owner{user, group}},
		{"over a file of a third", theirs, &owner{third, third}, owner{third, third}},
		{"over root's file", theirs, &owner{0, 0}, owner{0, 0}},
	} {
		for ext, write := range map[string]func(path string) error{
			".txt":     func(path string) error { return writeFile(path, fillX) },
			".mmtrace": func(path string) error { return writeInPlace(path, fillX) },
		} {
			path := filepath.Join(tt.dir, strings.ReplaceAll(tt.name, " ", "-")+ext)
			if tt.was != nil {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chown(path, tt.was.uid, tt.was.gid); err != nil {
					t.Fatal(err)
				}
			}
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			if st := statOf(path); st == nil || (owner{int(st.Uid), int(st.Gid)}) != tt.want || st.Size != 1 {
				t.Errorf("%s, %s: %+v, want %+v", tt.name, ext, st, tt.want)
			}
		}
	}
}

// What somebody else made to be a link in a directory for everybody is not followed
// by root, as the kernel does not (protected_symlinks).
func TestLinkOfAnother(t *testing.T) {
	if !runsAsRoot() {
		testutil.Need(t, "root")
	}
	protectSymlinks(t)
	top := t.TempDir()
	precious, open := filepath.Join(top, "precious"), filepath.Join(top, "open")
	for _, err := range []error{
		os.WriteFile(precious, []byte("keep"), 0o644), os.Mkdir(open, 0o777), os.Chmod(open, os.ModeSticky|0o777),
		os.Symlink(precious, filepath.Join(open, "bad")), os.Lchown(filepath.Join(open, "bad"), 65534, 65534),
		os.Symlink(precious, filepath.Join(open, "good")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writeFile(filepath.Join(open, "bad"), fillX); !os.IsPermission(err) {
		t.Errorf("another's link: %v", err)
	}
	if b, _ := os.ReadFile(precious); string(b) != "keep" {
		t.Errorf("it was written to: %q", b)
	}
	if err := writeFile(filepath.Join(open, "good"), fillX); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(precious); string(b) != "x" {
		t.Errorf("root's own link was not followed: %q", b)
	}
}

func fillX(w io.Writer) error {
	_, err := io.WriteString(w, "x")
	return err
}

// protectSymlinks switches on what distributions have switched on, for this test.
func protectSymlinks(t *testing.T) {
	t.Helper()
	const file = "/proc/sys/fs/protected_symlinks"
	before, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte("1"), 0)
	}
	if err != nil {
		testutil.Need(t, "fs.protected_symlinks: "+err.Error())
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, before, 0); err != nil {
			t.Error(err)
		}
	})
}
