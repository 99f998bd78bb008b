package main

// #include <unistd.h>
import "C"

func init() {
	foreign = append(foreign, func() { C.getppid() })
}
