package main

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// demoPlan is how long the target is busy; it holds still for the rest of the
// window, so that the report can be exact.
const demoPlan = 3 * time.Second

func newDemoTarget(s streams) *cobra.Command {
	return &cobra.Command{
		Use:    demoTargetVerb,
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			mappedBeforeTheWindow()
			fmt.Fprintln(s.out, "ready")
			in := bufio.NewReader(s.in)
			if _, err := in.ReadString('\n'); err != nil {
				return nil // nobody traces it
			}
			runDemoPlan()
			io.Copy(io.Discard, in) // until the parent is done
			return nil
		},
	}
}

// runDemoPlan spreads the leaks over the time and lets the others work between.
func runDemoPlan() {
	poolThatGrowsOnce()
	for i := range leakCount {
		cacheThatNeverForgets()
		if i < cutCount {
			bufferUnmappedShort()
		}
		for range workCount / leakCount {
			workerThatCleansUp()
		}
		time.Sleep(demoPlan / leakCount)
	}
}

//go:noinline
func mappedBeforeTheWindow() { mapAnon(beforePiece) }

//go:noinline
func cacheThatNeverForgets() { mapAnon(leakPiece) }

//go:noinline
func poolThatGrowsOnce() {
	for range poolCount {
		mapAnon(poolPiece)
	}
}

//go:noinline
func workerThatCleansUp() {
	unmap(mapAnon(workPiece), workPiece)
}

// bufferUnmappedShort gives back less than it mapped, as a program does that
// rounds a length down in one place and up in another.
//
//go:noinline
func bufferUnmappedShort() {
	unmap(mapAnon(cutPiece), cutPiece-cutLeft)
}

// mapAnon maps n bytes past the runtime, which would keep a list of them.
func mapAnon(n uintptr) (addr uintptr) {
	addr, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, n, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	return addr
}

func unmap(addr, n uintptr) {
	if _, _, errno := unix.Syscall(unix.SYS_MUNMAP, addr, n, 0); errno != 0 {
		panic(errno)
	}
}
