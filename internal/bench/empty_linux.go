package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// hooks are where mmtrace's programs for the calls of a pair hang.
var hooks = []string{"sys_exit", "mmap_lock_acquire_returned"}

// attachEmpty hangs a program that does nothing on each of the hooks until it is
// interrupted: what remains is the kernel's way there and back, which no tracer at
// these hooks can save.
func attachEmpty(stdout io.Writer) error {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.RawTracepoint,
		License:      "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return fmt.Errorf("loading an empty program: %w", err)
	}
	defer p.Close()
	for _, name := range hooks {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
		if err != nil {
			return fmt.Errorf("attaching an empty program to %s: %w", name, err)
		}
		defer l.Close()
	}
	fmt.Fprintln(stdout, "attached")
	<-interrupted
	return nil
}
