package export

import (
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// someFiles are files of every kind in every state, and of hostile names.
func someFiles() []report.File {
	at := []stack.Frame{lib("mmap"), c("load_index", "index.c", 88), c("main", "main.c", 12)}
	list := []report.File{
		{Kind: report.PlainFile, Path: "/srv/data/index\x1b[31m.bin", Deleted: true, Known: true, Size: 64 * mib, Allocated: 62 * mib,
			Descriptors: 1, FDs: []uint32{7}, Bytes: 21 * mib, Count: 3, Frames: at, Openers: []report.Opener{openedFrom("open_index", 1, 3)}},
		{Kind: report.PlainFile, Path: "/srv/data/gone", Deleted: true, Bytes: mib, Count: 1, Other: 2 * mib, Unread: true},
		{Kind: report.PlainFile, Path: "/srv/data/log", Deleted: true, Known: true, Allocated: 5 * mib, Descriptors: 2, FDs: []uint32{3, 4},
			Openers: []report.Opener{viaLibrary(1)}},
		{Kind: report.PlainFile, Path: "/srv/data/many", Known: true, Descriptors: 31337, FDs: []uint32{3, 4, 9}, Other: mib, Unread: true,
			Openers: []report.Opener{openedFrom("query", 20000, 0), openedFrom("query", 11330, 0), openedFrom("check", 6, 0), openedFrom("\x1b[31m", 1, 0)}},
		{Kind: report.PlainFile, Path: "/srv/data/plain", Known: true, Bytes: 4096, Count: 1, Frames: at, Owner: "file mapping",
			Openers: []report.Opener{openedFrom("open_plain", 2, 1), {Mappings: 1}}},
		{Kind: report.PlainFile, Path: "/usr/lib/libx.so.1", Known: true, Bytes: 4096, Count: 1, Owner: "library mapping"},
		{Kind: report.PlainFile, Path: "/usr/lib/liby.so.1", Deleted: true, Known: true, Allocated: 4096, Bytes: 4096, Count: 1, Owner: "library mapping"},
		{Kind: report.PlainFile, Path: "/old/mapped", Deleted: true, Known: true, Allocated: 4096, Other: 4096, Descriptors: 1, FDs: []uint32{5}},
		{Kind: report.MemFile, Path: "frames\x07", Deleted: true, Known: true, Allocated: 13 * mib, Bytes: 13 * mib, Count: 1, Descriptors: 5, FDs: []uint32{7, 8, 9}},
		{Kind: report.MemFile, Path: "held", Deleted: true, Known: true, Allocated: 11 * mib, Descriptors: 1, FDs: []uint32{6}},
		{Kind: report.TmpFile, Path: "/run/x", Deleted: true, Bytes: mib, Count: 2},
		{Kind: report.ShmFile, Path: "/dev/shm/a", Known: true, Allocated: mib, Bytes: mib, Count: 1},
		{Kind: report.ShmFile, Path: "/dev/shm/b", Deleted: true, Known: true, Allocated: mib, Bytes: mib, Count: 1},
		{Kind: report.SysVFile, Path: "SYSV00000000", ID: 5, Known: true, Allocated: mib, Bytes: mib, Count: 1},
		{Kind: report.SysVFile, Path: "SYSV00000000", ID: 6, Removed: true, Bytes: mib, Count: 1},
	}
	for i := range list {
		list[i].PID, list[i].Comm = 4242, "img\x1bcache"
	}
	return list
}

// openedFrom is a call path that opened a file.
func openedFrom(function string, descriptors, mappings uint64) report.Opener {
	return report.Opener{Descriptors: descriptors, Mappings: mappings,
		Frames: []stack.Frame{lib("open64"), c(function, "store.c", 34), c("main", "main.c", 12)}}
}

// viaLibrary is a call path that opened a file by a library without names.
func viaLibrary(descriptors uint64) report.Opener {
	store := stack.Frame{Module: "/usr/lib/libstore.so.3", Offset: 0x1234}
	return report.Opener{Descriptors: descriptors, Frames: []stack.Frame{lib("open64"), store, store, c("open_log", "store.c", 34), c("main", "main.c", 12)}}
}

// alikeFiles are many files that are alike, of every kind.
func alikeFiles() (out []report.File) {
	at := []stack.Frame{lib("mmap"), c("load_index", "index.c", 88)}
	for i := range 5 {
		for _, f := range []report.File{
			{Kind: report.MemFile, Path: "m", Deleted: true, Known: true, Allocated: mib, Bytes: mib, Count: 1, Descriptors: 1, FDs: []uint32{uint32(7 + i)}, Frames: at,
				Openers: []report.Opener{openedFrom("make_memory", 1, 0)}},
			{Kind: report.MemFile, Path: "n", Deleted: true, Known: true, Allocated: mib, Bytes: mib, Count: 1, Descriptors: 1, FDs: []uint32{uint32(7 + i)}, Frames: at,
				Openers: []report.Opener{openedFrom("make_other", 1, 1)}},
			{Kind: report.PlainFile, Path: "/srv/gone", Deleted: true, Bytes: mib, Count: 2, Frames: at, Unread: true},
			{Kind: report.PlainFile, Path: "/srv/many", Known: true, Descriptors: 40, FDs: []uint32{1}, Other: mib},
			{Kind: report.ShmFile, Path: "/dev/shm/a", Known: true, Allocated: mib, Bytes: mib, Count: 1, Frames: at},
			{Kind: report.SysVFile, ID: uint64(i), Known: true, Bytes: mib, Count: 1, Frames: at},
			{Kind: report.SysVFile, ID: uint64(i), Removed: true, Bytes: mib, Count: 1, Frames: at},
		} {
			f.Path += string(rune('0' + i))
			out = append(out, f)
		}
	}
	return out
}

func segment(id int32, bytes uint64) report.Left {
	l := report.Left{Kind: shm.SysV, ID: id, Bytes: bytes, Size: bytes, PID: 4242, Comm: "img\x1bcache"}
	if id%2 == 1 {
		l.Frames = []stack.Frame{lib("shmget"), c("share_frames", "frames.c", 41), c("main", "main.c", 12)}
	}
	return l
}

// withLeft is a report on shared memory that was left behind.
func withLeft(r *report.Report, left ...report.Left) *report.Report {
	r.Left = left
	return r
}

func manyLeft(n int) (out []report.Left) {
	for i := range n {
		out = append(out, segment(int32(i), 3*mib))
	}
	return out
}

var (
	hostileObject = report.Left{Kind: shm.Posix, Path: "/dev/shm/\x1b[31m", Inode: 17, Bytes: 2 * mib, Size: 2 * mib}
	plainObject   = report.Left{Kind: shm.Posix, Path: "/dev/shm/img cache", Inode: 18, Bytes: mib, Size: mib}
)

// fileAnswers are all that the text has to say of files and of what is left behind.
var fileAnswers = []answer{
	{"files of every kind", changed(plainLeak(), func(r *report.Report) { r.Files = someFiles() }), Options{Filter: Filter{Top: -1}, NoNext: true}},
	{"the first files of several processes", changed(several(), func(r *report.Report) { r.Files = someFiles()[:2] }), Options{Filter: Filter{Top: 1}, NoNext: true}},
	{"files that are alike", changed(quiet(), func(r *report.Report) { r.Files = alikeFiles() }), Options{Filter: Filter{Top: -1}, NoNext: true}},
	{"descriptors that a damaged recording has lost", changed(quiet(), func(r *report.Report) {
		r.Files = []report.File{{Kind: report.PlainFile, Path: "/a", Descriptors: 1, Count: 1}, {Kind: report.PlainFile, Path: "/b", Descriptors: 99}}
	}), Options{NoNext: true}},
	{"nothing to tell of files", changed(quiet(), func(r *report.Report) { r.Files = someFiles()[5:6] }), Options{NoNext: true}},
	{"a segment was left behind", withLeft(quiet(), segment(32769, 29*mib)), Options{}},
	{"two objects were left behind", withLeft(quiet(), hostileObject, plainObject), Options{NoNext: true}},
	{"a leak, and both were left behind", withLeft(plainLeak(), segment(1, mib), segment(2, mib), plainObject), Options{NoNext: true}},
	{"growth, and much was left behind", withLeft(with(slow(3)), manyLeft(13)...), Options{}},
	{"a segment was left behind, in color", withLeft(quiet(), segment(32769, 29*mib)), Options{Color: true, NoNext: true}},
	{"a command that was killed left a segment", changed(withLeft(quiet(), segment(3, mib)), func(r *report.Report) {
		r.Targets[0].Ended, r.Window.StoppedBy = "killed by SIGKILL", "exit"
	}), Options{}},
	{"a command that has ended left a segment", changed(withLeft(quiet(), segment(3, mib)), func(r *report.Report) {
		r.Targets[0].Ended, r.Window.StoppedBy = "exited", "exit"
	}), Options{}},
}

func TestFiles(t *testing.T) { checkAnswers(t, "testdata/files.txt", fileAnswers) }

// filed is a report with files and shared memory that was left behind, for JSON.
func filed() *report.Report {
	r := withLeft(plainLeak(), segment(1, mib), hostileObject)
	r.Files = someFiles()
	r.Paths[0].Verdict.Kind = verdict.Growing
	return r
}

// The first lines tell of what was left behind if nothing leaks.
func TestLeftBehindIsTheHeadline(t *testing.T) {
	text := output(t, "x.txt", withLeft(quiet(), segment(32769, 29*mib)), Options{})
	first, _, _ := strings.Cut(text, "\n")
	if want := "imgcache (pid 4242): no path leaks; 29.0 MiB of shared memory was left behind"; first != want {
		t.Errorf("got %q, want %q", first, want)
	}
}
