// Gofix is a Go program that maps memory and keeps it.
//
//	gofix [COUNT [PAGES]]
//
// It maps PAGES (17) pages COUNT (13) times in leakMapping, and as often in
// freeMapping, which unmaps them, with goroutines moving between threads
// meanwhile.
//
//	truth main.leakMapping BYTES
//	truth main.freeMapping 0
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

var kept [][]byte

//go:noinline
func leakMapping(size int) error {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return err
	}
	b[0] = 1
	kept = append(kept, b)
	return nil
}

//go:noinline
func freeMapping(size int) error {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return err
	}
	b[0] = 1
	return syscall.Munmap(b)
}

func arg(i, otherwise int) int {
	if len(os.Args) <= i {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		return otherwise
	}
	return n
}

func work(count, size int) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 4 {
		wg.Go(func() {
			for range count {
				_ = make([]byte, 1<<16)
			}
		})
	}
	for range count {
		if err := leakMapping(size); err != nil {
			return fmt.Errorf("mapping %d bytes: %w", size, err)
		}
		if err := freeMapping(size); err != nil {
			return fmt.Errorf("mapping %d bytes for a while: %w", size, err)
		}
	}
	return nil
}

func main() {
	count, size := arg(1, 13), arg(2, 17)*os.Getpagesize()
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() && in.Text() != "go" {
	}
	if err := work(count, size); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("truth main.leakMapping", count*size)
	fmt.Println("truth main.freeMapping", 0)
	fmt.Println("done")
	for in.Scan() && in.Text() != "exit" {
	}
}
