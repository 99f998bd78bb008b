// Gowalk calls getppid from Go and says with which stack.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

//go:noinline
func leaf(call func()) {
	var pcs [64]uintptr
	n := runtime.Callers(2, pcs[:])
	call()
	fmt.Printf("stack")
	for _, pc := range pcs[:n] {
		fmt.Printf(" %x", pc)
	}
	fmt.Println()
}

//go:noinline
func deep(n int, call func()) int {
	if n == 0 {
		leaf(call)
		return 0
	}
	return deep(n-1, call) + 1
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	in.Scan()
	calls := append(foreign, func() { syscall.Getppid() })
	for n := range 10 {
		for _, call := range calls {
			deep(n, call)
			done := make(chan bool)
			go func() {
				deep(n, call)
				done <- true
			}()
			<-done
		}
	}
	fmt.Println("done")
	in.Scan()
}

var foreign []func()
