package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// killTree ends a process and all that it started: a tool that runs a program may
// be a script, and leave the program behind.
func killTree(pid int) {
	children := childrenOf(pid) // afterwards they are another's
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for _, child := range children {
		killTree(child)
	}
}

// childrenOf returns the processes that the threads of a process have started.
func childrenOf(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range lists {
		text, _ := os.ReadFile(name) // the thread may have ended
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
