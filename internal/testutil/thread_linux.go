package testutil

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// AnotherThread returns the id of a thread of this process that is not its first.
// It lives as long as the test.
func AnotherThread(t testing.TB) int {
	t.Helper()
	tids := make(chan int)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	for range 2 { // one of them may have the first thread
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if id := unix.Gettid(); id != os.Getpid() {
				select {
				case tids <- id:
				case <-done:
				}
			}
			<-done
		}()
	}
	return <-tids
}
