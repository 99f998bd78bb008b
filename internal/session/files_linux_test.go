package session

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// TestFiles compares what is told of files and of what was left behind with what the
// fixture made, to the page and to the descriptor.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	name := fmt.Sprintf("mmtrace-session-%d", os.Getpid())
	fx := testutil.Start(t, testutil.Compile(t, "shm.c", "-O2"), name, dir)
	s := start(t, fx.PID(), Config{FilesBudget: time.Minute})
	runUntil(t, s, func() { fx.Run() })
	r := finalReport(s)

	page := uint64(os.Getpagesize())
	file := func(k report.FileKind, path string, deleted bool, pages, mappings, fds uint64) report.File {
		return report.File{PID: event.PID(fx.PID()), Comm: "shm", Kind: k, Path: path, Deleted: deleted, Known: true, Size: pages * page,
			Allocated: pages * page, Descriptors: fds, Bytes: mappings * pages * page, Count: mappings}
	}
	object := "/dev/shm/" + name + "-"
	removed, attached := file(report.SysVFile, "SYSV00000000", false, 29, 1, 0), file(report.SysVFile, "SYSV00000000", false, 5, 1, 0)
	removed.Removed = true
	want := []report.File{
		file(report.PlainFile, filepath.Join(dir, name+"-\x1b[31m\\xffdisk"), true, 31, 2, 3),
		file(report.ShmFile, object+"gone", true, 17, 2, 0),
		removed,
		file(report.MemFile, name+"-mapped", true, 13, 1, 0),
		file(report.ShmFile, object+"open", true, 19, 0, 3),
		file(report.MemFile, name+"-held", true, 11, 0, 1),
		attached,
		file(report.ShmFile, object+"used", false, 3, 1, 0),
		file(report.PlainFile, filepath.Join(dir, name+"-many"), false, 2, 1, 37),
	}
	got := slices.Clone(r.Files)
	diff := cmp.Diff(want, got, cmpopts.IgnoreFields(report.File{}, "ID", "FDs", "Frames", "Owner", "Openers"), cmpopts.SortSlices(func(x, y report.File) bool {
		return x.Path+fmt.Sprint(x.Size) < y.Path+fmt.Sprint(y.Size)
	}))
	if diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for i := range got {
		f := &got[i]
		if f.Count > 0 != (len(f.Frames) > 0) || f.Kind == report.SysVFile && f.ID == 0 {
			t.Errorf("%+v", f)
		}
		if f.Kind != report.SysVFile && (len(f.Openers) != 1 || f.Openers[0].Descriptors != f.Descriptors || f.Openers[0].Mappings != f.Count) {
			t.Errorf("%s: one call opened it, not %+v", f.Path, f.Openers)
		}
		if f.Kind == report.PlainFile && f.Frames[len(f.Frames)-1].Function != "_start" {
			t.Errorf("%s: frames %+v", f.Path, f.Frames)
		}
	}
	if !strings.HasSuffix(got[0].Path, "-many") ||
		!slices.IsSortedFunc(got[1:], func(x, y report.File) int { return int(y.Bytes+y.Pinned()) - int(x.Bytes+x.Pinned()) }) {
		t.Error("the one with many descriptors is not first, or the others are not by size")
	}

	var left []report.Left
	for _, l := range r.Left {
		if l.Kind == shm.SysV {
			if len(l.Frames) < 3 || l.Frames[1].Function != "segment" {
				t.Errorf("segment %d was made by %+v", l.ID, l.Frames)
			}
			l.Frames = nil
		}
		if l.Kind == shm.SysV || strings.HasPrefix(l.Path, object) { // other tests may make objects, too
			left = append(left, l)
		}
	}
	wantLeft := []report.Left{
		{Kind: shm.SysV, Bytes: 23 * page, Size: 23 * page, PID: event.PID(fx.PID()), Comm: "shm"},
		{Kind: shm.Posix, Path: object + "unused", Bytes: 7 * page, Size: 7 * page},
		{Kind: shm.Posix, Path: object + "\x1b[31m", Bytes: 2 * page, Size: 2 * page},
	}
	if diff := cmp.Diff(wantLeft, left, cmpopts.IgnoreFields(report.Left{}, "ID", "Inode")); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
	fx.Close()
}

// What there was before the window is not called left behind, and a process that is
// gone leaves its segments and no files.
func TestFilesOfTheGone(t *testing.T) {
	name := fmt.Sprintf("mmtrace-gone-%d", os.Getpid())
	fx := testutil.Start(t, testutil.Compile(t, "shm.c", "-O2"), name)
	fx.Run()
	s := start(t, fx.PID(), Config{FilesBudget: time.Minute})
	runUntil(t, s, fx.Close)
	r := finalReport(s)
	for _, l := range r.Left {
		if l.Kind == shm.SysV || strings.Contains(l.Path, name) {
			t.Errorf("left behind: %+v", l)
		}
	}
	if len(r.Files) > 0 {
		t.Errorf("files %+v", r.Files)
	}
}

// A process that is killed leaves what it had attached and mapped, too.
func TestTheKilledLeaveSharedMemory(t *testing.T) {
	name := fmt.Sprintf("mmtrace-killed-%d", os.Getpid())
	fx := testutil.Start(t, testutil.Compile(t, "shm.c", "-O2"), name)
	s := start(t, fx.PID(), Config{FilesBudget: time.Minute})
	runUntil(t, s, func() {
		fx.Run()
		if err := unix.Kill(fx.PID(), unix.SIGKILL); err != nil {
			t.Error(err)
		}
		<-fx.Exited()
	})
	r := finalReport(s)
	page := uint64(os.Getpagesize())
	got := make(map[string]uint64)
	for _, l := range r.Left {
		switch {
		case l.Kind == shm.SysV:
			got[fmt.Sprint("segment of ", l.Size/page)] = l.Bytes / page
			if _, err := unix.SysvShmCtl(int(l.ID), unix.IPC_RMID, nil); err != nil {
				t.Error(err)
			}
		case strings.Contains(l.Path, name):
			got[l.Path] = l.Bytes / page
		}
	}
	objects, err := filepath.Glob("/dev/shm/" + name + "-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range objects {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	path := "/dev/shm/" + name + "-"
	want := map[string]uint64{"segment of 23": 23, "segment of 5": 5, path + "unused": 7, path + "\x1b[31m": 2, path + "used": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages left behind (-want +got):\n%s", diff)
	}
}

// The descriptors that the budget does not reach are told to be missing.
func TestFilesAreBounded(t *testing.T) {
	name := fmt.Sprintf("mmtrace-bounded-%d", os.Getpid())
	fx := testutil.Start(t, testutil.Compile(t, "shm.c", "-O2"), name)
	s := start(t, fx.PID(), Config{FilesBudget: 1})
	runUntil(t, s, func() { fx.Run() })
	r := finalReport(s)
	want := fmt.Sprintf("Process %d has too many descriptors to look at all of them: more files may be open than are told.", fx.PID())
	if !slices.Contains(r.Caveats, want) {
		t.Errorf("caveats %q lack %q", r.Caveats, want)
	}
	for i := range r.Files {
		if !r.Files[i].Unread {
			t.Errorf("%+v", r.Files[i])
		}
	}
	fx.Close()
}

func TestTextIsUTF8(t *testing.T) {
	for in, want := range map[string]string{"/a\u00e9\n": "/a\u00e9\n", "/a\xffb\xc3": `/a\xffb\xc3`, "\ufffd": "\ufffd"} {
		if got := text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
