package symbol

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

const (
	rx = event.ProtRead | event.ProtExec
	rw = event.ProtRead | event.ProtWrite
)

// region returns a region of one page.
func region(start uint64, prot event.Prot, inode uint64, path string) event.Region {
	return event.Region{Range: interval.Of(start, 0x1000), Prot: prot, Offset: 0x3000, Inode: inode, Path: path}
}

// An opener counts what is opened, and has the files of a directory.
type opener struct {
	dir    string
	opened []string
}

func (o *opener) open(r event.Region) (*os.File, error) {
	o.opened = append(o.opened, r.Path)
	return os.Open(filepath.Join(o.dir, filepath.Base(r.Path)))
}

func TestResolveNamesEveryKindOfMemory(t *testing.T) {
	s := New()
	defer s.Close()
	o := &opener{dir: source(t, "lib.so", "not an ELF file")}
	sp := s.NewSpace()
	sp.Update([]event.Region{
		region(0x9000, rx, 0, "[vdso]"), // out of order
		region(0x1000, rx, 7, "/lib.so"),
		region(0x2000, rw, 7, "/lib.so"),
		region(0x3000, rx, 0, ""),
		region(0x4000, rx, 0, "[anon:jit]"),
		region(0x5000, rx, 8, "/gone.so (deleted)"),
		region(0x6000, rw, 9, "/data"),
	}, o.open)
	var got []stack.Frame
	for _, pc := range []uint64{0x1010, 0x2010, 0x3010, 0x4010, 0x5010, 0x6010, 0x9010, 0xa010} {
		got = append(got, sp.Resolve(pc, true)...)
	}
	want := []stack.Frame{
		{Module: "/lib.so", Offset: 0x300f},
		{Module: "/lib.so", Offset: 0x300f},
		{Module: "[anon]", Offset: 0x300f},
		{Module: "[anon:jit]", Offset: 0x400f},
		{Module: "/gone.so", Offset: 0x300f},
		{Module: "/data", Offset: 0x300f},
		{Module: "[vdso]", Offset: 0x900f},
		{Offset: 0xa00f},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/lib.so", "/gone.so (deleted)"}, o.opened); diff != "" {
		t.Error(diff)
	}
}

// A return address at the very end of a region belongs to the call before it.
func TestCallAtTheEndOfARegion(t *testing.T) {
	sp := New().NewSpace()
	sp.Update([]event.Region{region(0x1000, rx, 0, "")}, nil)
	got := [][]stack.Frame{sp.Resolve(0x2000, true), sp.Resolve(0x2000, false)}
	want := [][]stack.Frame{{{Module: "[anon]", Offset: 0x1fff}}, {{Offset: 0x2000}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExecutable(t *testing.T) {
	sp := New().NewSpace()
	sp.Update([]event.Region{region(0x1000, rx, 0, ""), region(0x2000, rw, 0, "")}, nil)
	got := map[uint64][2]bool{}
	for _, pc := range []uint64{0xfff, 0x1000, 0x1fff, 0x2000, 0x3000} {
		known, exec := sp.Executable(pc)
		got[pc] = [2]bool{known, exec}
	}
	want := map[uint64][2]bool{0xfff: {}, 0x1000: {true, true}, 0x1fff: {true, true}, 0x2000: {true, false}, 0x3000: {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A file is opened once: not again for a second region, a further list, after
// it was deleted, or for another address space.
func TestFileIsOpenedOnce(t *testing.T) {
	s := New()
	defer s.Close()
	o := &opener{dir: source(t, "lib.so", "x")}
	a, b := s.NewSpace(), s.NewSpace()
	a.Update([]event.Region{region(0x1000, rx, 7, "/lib.so"), region(0x5000, rx, 7, "/lib.so")}, o.open)
	a.Update([]event.Region{region(0x1000, rx, 7, "/lib.so (deleted)")}, o.open)
	b.Update([]event.Region{region(0x8000, rx, 7, "/lib.so")}, o.open)
	if diff := cmp.Diff([]string{"/lib.so"}, o.opened); diff != "" {
		t.Error(diff)
	}
	a.Update(nil, o.open)
	if diff := cmp.Diff([]stack.Frame{{Offset: 0x1010}}, a.Resolve(0x1010, false)); diff != "" {
		t.Error(diff)
	}
}

// A file that cannot be opened is tried again when it is mapped again, and by
// other address spaces.
func TestOpenFailureIsRemembered(t *testing.T) {
	s := New()
	n := 0
	open := func(event.Region) (*os.File, error) { n++; return nil, os.ErrPermission }
	sp := s.NewSpace()
	rs := []event.Region{region(0x1000, rx, 7, "/lib.so")}
	for range 3 {
		sp.Update(rs, open)
	}
	sp.Update(nil, open)
	sp.Update(rs, open)
	s.NewSpace().Update(rs, open)
	m := sp.state.Load().modules[regionKey{0, 7, "/lib.so"}]
	if n != 3 || !errors.Is(m.Err(), os.ErrPermission) {
		t.Errorf("opened %d times; %v", n, m.Err())
	}
}

func TestSymbolizerJoinsEqualFiles(t *testing.T) {
	s := New()
	dir := source(t, "a", "x")
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	a, b := s.Module("/a", open(t, filepath.Join(dir, "a"))), s.Module("/b", open(t, filepath.Join(dir, "b")))
	if a != b || b.Path() != "/a" {
		t.Errorf("%s and %s are two modules", a.Path(), b.Path())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestDirectoryIsNoModule(t *testing.T) {
	m := New().Module("/dir", open(t, t.TempDir()))
	if !errors.Is(m.Err(), errRegular) {
		t.Error(m.Err())
	}
	if got, want := m.Err().Error(), "reading symbols of /dir: not a regular file"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A vDSO image is read like any file; a small library stands for one.
func TestVDSOImage(t *testing.T) {
	dir := source(t, "p.c", "int clock_get(int a) { return a * 2; }\n")
	run(t, dir, "gcc", "-O2", "-shared", "-fPIC", "-nostdlib", "-o", "v.so", "p.c")
	path := filepath.Join(dir, "v.so")
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := module(t, path)
	off := offsetOf(t, m, addresses(t, path)["clock_get"])
	sp := New().NewSpace()
	sp.SetVDSO(image)
	sp.Update([]event.Region{{Range: interval.Of(0x10000, uint64(len(image))), Prot: rx, Path: "[vdso]"}}, nil)
	want := []stack.Frame{{Function: "clock_get", Module: "[vdso]", Offset: off, BuildID: m.BuildID()}}
	if diff := cmp.Diff(want, sp.Resolve(0x10000+off, false)); diff != "" {
		t.Error(diff)
	}
}

// Beyond the limit a module is read at once, and knows the same afterwards
// without its file; below it, a deleted file is still there.
func TestModulesWithoutTheirFile(t *testing.T) {
	dir := source(t, "p.cc", cxxProgram)
	run(t, dir, "g++", "-O1", "-o", "p", "p.cc")
	path := filepath.Join(dir, "p")
	open1, open2 := New(), New()
	open2.limit = 0
	kept, closed := open1.Module(path, open(t, path)), open2.Module(path, open(t, path))
	defer open1.Close()
	if closed.src.r != nil || open2.open != 0 {
		t.Fatal("the file is open")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	size, named := kept.src.size, 0
	for off := uint64(0); off < size; off += 3 {
		a, b := kept.Frames(off, true), closed.Frames(off, true)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
		if a[0].Function != "" {
			named++
		}
	}
	if named == 0 {
		t.Error("no names")
	}
}
