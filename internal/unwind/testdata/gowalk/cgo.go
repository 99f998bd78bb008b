package main

// #include <unistd.h>
// extern void callback(void);
// static void there_and_back(void) { callback(); __asm__ volatile(""); }
import "C"

import "syscall"

func init() {
	foreign = append(foreign, func() { C.getppid() }, func() { C.there_and_back() })
}

//export callback
func callback() { syscall.Getppid() }
