package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// smallDisk returns the mount point of a file system of 64 KiB, of which all but
// free bytes are in use.
func smallDisk(t *testing.T, free int) string {
	t.Helper()
	const size = 64 << 10
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		testutil.Need(t, "the right to mount: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "full"), bytes.Repeat([]byte{1}, size-free), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// noSpace is what mmtrace says when a file does not fit.
func noSpace(path string) string {
	return fmt.Sprintf("mmtrace: writing %s: no space left on device\n"+
		"  try:   make room, or -o with a file on another disk\n", path)
}

// A disk that is full when a report is written costs that report and no other,
// leaves no half of it, and is an error.
func TestFaultDiskFullAtReport(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "disk full while each kind of output is written")
	exe := testutil.Compile(t, "pairs.c", "-O2")
	for _, ext := range append(reportNames, "mmtrace") {
		disk := smallDisk(t, 0)
		path, other := filepath.Join(disk, "x."+ext), filepath.Join(t.TempDir(), "y.json")
		p := testutil.Start(t, exe, "0.1", "10", "1") // leaves its thread's stack
		r := newRun(t, "-d", "0", "-p", fmt.Sprint(p.PID()), "-o", path, "-o", other)
		r.start()
		r.attached()
		p.Run()
		r.cmd.Process.Signal(os.Interrupt)
		got := r.wait()
		p.Close()
		text, err := os.ReadFile(other)
		_, whole := readFaults(string(text))
		right := got.code == exitFailure && strings.HasSuffix(got.err, "\n"+noSpace(path)) && err == nil && whole &&
			onlyFull(t, disk, ext)
		if !right {
			t.Errorf("%s: exit code %d, %v\n%s", ext, got.code, err, got.err)
		}
		row.Add(0, right)
	}
}

// onlyFull reports whether the small disk holds nothing but what fills it and,
// when a recording was cut off, that.
func onlyFull(t *testing.T, disk, ext string) bool {
	t.Helper()
	entries, err := os.ReadDir(disk)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "full" && (ext != "mmtrace" || e.Name() != "x.mmtrace") {
			t.Errorf("%s is left of a report", e.Name())
			return false
		}
	}
	return true
}

// A disk that fills up while a recording is made ends it with an error soon, and
// the target goes on; what was written before is a recording that says that it is
// incomplete.
func TestFaultDiskFullWhileRecording(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "disk full while a recording is made")
	p := testutil.Start(t, testutil.Compile(t, "pairs.c", "-O2"), "4", "10", "1", "4", "20000")
	path := filepath.Join(smallDisk(t, 32<<10), "x.mmtrace")
	r := newRun(t, "record", "-d", "0", "-o", path, "-p", fmt.Sprint(p.PID()))
	r.start()
	r.attached()
	p.Send("go")
	got := r.wait() // by itself
	p.WaitFor("done")
	p.Close()
	right := got.code == exitFailure && got.err == fmt.Sprintf("tracing pairs (%d) until Ctrl-C\n", p.PID())+noSpace(path)
	again := mmtrace(t, "report", path)
	right = right && again.code == exitFailure && strings.Contains(again.err, ": recording is incomplete\n")
	if !right || got.took > time.Minute {
		t.Errorf("exit code %d\n%s\nits report: exit code %d\n%s", got.code, got.err, again.code, again.err)
	}
	row.Add(0, right)
}

// Standard output on a full device is an error, too.
func TestFaultDeviceFull(t *testing.T) {
	needTracing(t)
	row := testutil.NewFault(t, "standard output on a full device")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		testutil.Need(t, "/dev/full")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	r := newRun(t, "-q", "-d", "0.1", "-p", fmt.Sprint(sleeper(t).PID()))
	r.cmd.Stdout = full
	r.start()
	got := r.wait()
	right := got.code == exitFailure && got.err == noSpace("standard output")
	if !right {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	row.Add(0, right)
}
