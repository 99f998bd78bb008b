package testutil

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel kill the process when its parent thread ends.
func dieWithParent(cmd *exec.Cmd) {
	var attr syscall.SysProcAttr
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr // several tests may share it
	}
	attr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = &attr
}
