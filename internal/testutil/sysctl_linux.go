package testutil

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// LockMachine makes a test the only one that changes the settings of the machine,
// in whatever process, until it ends.
func LockMachine(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "mmtrace-machine.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) // with it the lock goes
	for end := time.Now().Add(10 * Patience); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			t.Fatalf("locking the settings of the machine: %v", err)
		}
	}
}

// Sysctl sets a number below /proc/sys, as in "vm/max_map_count", until the test
// ends. Where that is not permitted the test is skipped, in CI it fails. The test
// has called LockMachine.
func Sysctl(t testing.TB, name string, value uint64) {
	t.Helper()
	before := ReadSysctl(t, name)
	SetSysctl(t, name, value)
	t.Cleanup(func() { SetSysctl(t, name, before) })
}

// SetSysctl is as Sysctl, and leaves it to the caller to put back the value.
func SetSysctl(t testing.TB, name string, value uint64) {
	t.Helper()
	err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(strconv.FormatUint(value, 10)), 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		Need(t, "the right to set "+name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ReadSysctl returns a number below /proc/sys.
func ReadSysctl(t testing.TB, name string) uint64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc/sys", name))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
