package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A tool is a way to watch a process.
type tool struct {
	name   string
	argv   func(b *bench, pids []int) []string // only mmtrace takes several
	launch func(b *bench) []string             // what comes before the program's own command; it cannot attach
	ready  string                              // what it says when it is attached; empty: nothing
	events bool                                // it says nothing, and is attached once it holds perf's events
	settle time.Duration                       // from then on
	fp     bool                                // it follows frame pointers
	slow   bool                                // one round of one load is enough
}

var tools = []tool{
	{name: "untraced"},
	{
		name: "mmtrace", ready: "tracing ", settle: 100 * time.Millisecond,
		argv: func(b *bench, pids []int) []string {
			argv := []string{b.mmtrace, "-d", "0", "-o", b.report()}
			for _, pid := range pids {
				argv = append(argv, "-p", strconv.Itoa(pid))
			}
			return argv
		},
	},
	{
		name: "two empty BPF programs at mmtrace's hooks", ready: "attached", settle: 100 * time.Millisecond,
		argv: func(b *bench, _ []int) []string { return []string{b.self, "-empty"} },
	},
	{
		name: "bpftrace, ustack (frame pointers)", ready: "Attaching", settle: time.Second, fp: true,
		argv: func(_ *bench, pids []int) []string {
			return []string{"bpftrace", "-e", fmt.Sprintf("tracepoint:syscalls:sys_enter_mmap,tracepoint:syscalls:sys_enter_munmap"+
				" /pid == %d/ { @[ustack] = count(); }", pids[0])}
		},
	},
	{
		name: "perf record -g (frame pointers)", events: true, settle: 300 * time.Millisecond, fp: true,
		argv: func(_ *bench, pids []int) []string { return perf(pids[0], "-g") },
	},
	{
		name: "perf record --call-graph dwarf", events: true, settle: 300 * time.Millisecond,
		argv: func(_ *bench, pids []int) []string { return perf(pids[0], "--call-graph", "dwarf") },
	},
	{
		name: "strace -f", ready: "attached", settle: 200 * time.Millisecond, slow: true,
		argv: func(_ *bench, pids []int) []string {
			return []string{"strace", "-f", "-e", "trace=mmap,munmap", "-o", "/dev/null", "-p", strconv.Itoa(pids[0])}
		},
	},
	{
		name: "strace -f -k", ready: "attached", settle: 200 * time.Millisecond, slow: true,
		argv: func(_ *bench, pids []int) []string {
			return []string{"strace", "-f", "-k", "-e", "trace=mmap,munmap", "-o", "/dev/null", "-p", strconv.Itoa(pids[0])}
		},
	},
	{
		// Without a fair scheduler the load's clock waits for its loop's lock.
		name: "valgrind massif --pages-as-heap", slow: true,
		launch: func(b *bench) []string {
			return []string{"valgrind", "-q", "--tool=massif", "--pages-as-heap=yes", "--stacks=no", "--fair-sched=yes",
				"--massif-out-file=" + filepath.Join(b.dir, "massif")}
		},
	},
	{
		name: "heaptrack", slow: true,
		launch: func(b *bench) []string { return []string{"heaptrack", "-o", filepath.Join(b.dir, "heaptrack")} },
	},
}

// watches is false for the row of no tool.
func (t tool) watches() bool { return t.argv != nil || t.launch != nil }

// command returns the command that runs a program with this tool, which does so
// itself or is attached later.
func (b *bench) command(t tool, argv ...string) (*exec.Cmd, error) {
	if t.launch != nil {
		argv = append(t.launch(b), argv...)
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("%s: %w", argv[0], errMissing)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second // what a tool leaves behind may hold its output
	return cmd, nil
}

func perf(pid int, how ...string) []string {
	argv := append([]string{"perf", "record", "-q", "-o", "/dev/null", "-e", "syscalls:sys_enter_mmap,syscalls:sys_enter_munmap"}, how...)
	return append(argv, "-p", strconv.Itoa(pid))
}

func toolNamed(name string) tool {
	for _, t := range tools {
		if t.name == name {
			return t
		}
	}
	panic("no tool " + name)
}
