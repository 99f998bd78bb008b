package main

import (
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
)

var sink [16][]byte

func main() {
	var wg sync.WaitGroup
	for i := range sink {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range 200 {
				sink[i] = make([]byte, 1<<(n%22))
			}
			runtime.LockOSThread()
		}()
	}
	wg.Wait()
	if err := exec.Command("true").Run(); err != nil {
		panic(err)
	}
	clear(sink[:])
	debug.FreeOSMemory()
}
