package main

import (
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// demoBusy is how long the target works: nearly to the end of the window, since
// what stops growing is no leak. It holds still for the rest, so that the report
// can be exact.
const demoBusy = 4500 * time.Millisecond

// demoTarget is the process that demo traces. It works when it has read a line,
// and ends when its input does.
func demoTarget(broken string) {
	_ = os.WriteFile("/proc/self/comm", []byte(demoName), 0) // what the report calls it
	debug.SetGCPercent(-1)                                   // a collection would map memory beside what is planned
	signal.Ignore(os.Interrupt)                              // a Ctrl-C is for the tracer, which ends this
	plan := newDemoPlan(broken)
	old := mappedBeforeTheWindow()
	os.Stdout.WriteString("ready\n")
	if n, _ := os.Stdin.Read(make([]byte, 1)); n == 0 {
		return // nobody traces it
	}
	began := time.Now()
	poolThatStopsGrowing(plan.pool)
	for i := range leakCount {
		if i < plan.leaks {
			cacheThatNeverForgets()
		}
		if i < plan.cuts {
			bufferUnmappedShort()
		}
		if i < plan.slips {
			munmapPastTheHeader(old)
		}
		for n := range plan.works / leakCount {
			workerThatCleansUp(i == 0 && n < plan.forgotten)
		}
		time.Sleep(time.Until(began.Add(time.Duration(i+1) * demoBusy / leakCount)))
	}
	os.Stdout.WriteString("done\n")
	io.Copy(io.Discard, os.Stdin) // until the parent is done
}

//go:noinline
func mappedBeforeTheWindow() uintptr { return mmap(beforePiece) }

//go:noinline
func cacheThatNeverForgets() { mmap(leakPiece) }

//go:noinline
func poolThatStopsGrowing(n int) {
	for range n {
		mmap(poolPiece)
	}
}

//go:noinline
func workerThatCleansUp(forgets bool) {
	addr := mmap(workPiece)
	if !forgets {
		munmap(addr, workPiece)
	}
}

// bufferUnmappedShort gives back less than it mapped, as a program does that
// rounds a length down in one place and up in another.
//
//go:noinline
func bufferUnmappedShort() {
	munmap(mmap(cutPiece), cutPiece-cutLeft)
}

// munmapPastTheHeader passes on the address that its callers see, behind a
// header at the start of the mapping. The call fails, and nobody looks.
//
//go:noinline
func munmapPastTheHeader(mapping uintptr) { munmap(mapping+16, beforePiece) }

// mmap maps n bytes past the runtime, which would keep a list of them.
func mmap(n uintptr) (addr uintptr) {
	addr, _, errno := syscall.RawSyscall6(unix.SYS_MMAP, 0, n, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	return addr
}

func munmap(addr, n uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_MUNMAP, addr, n, 0)
	return errno
}
