package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A script that starts a program in the background and waits ends with that program.
func TestKillTree(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	killTree(cmd.Process.Pid)
	if err := cmd.Wait(); err == nil {
		t.Error("the script went on")
	}
	for start := time.Now(); !ended(child); time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			_ = syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("its child went on")
		}
	}
}

// ended reports whether a process is no more, or waits for being waited for.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
