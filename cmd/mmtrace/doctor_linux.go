package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/procfs"
)

const (
	oldestKernel = "5.15"
	kernelBTF    = "/sys/kernel/btf/vmlinux"
	lockdownFile = "/sys/kernel/security/lockdown"
)

// tracepoints are the hooks that tracing attaches to, by their types in BTF,
// and what is missing without them. There is one more that can be done without:
// see checkPrograms.
var tracepoints = []struct{ name, use string }{
	{"sys_exit", "the calls"},
	{"sched_process_exec", "programs that replace themselves"},
	{"exit_mmap", "the end of address spaces"},
}

func machineChecks() []check {
	checks := []check{checkKernel(), checkBTF(), checkTracepoints(), checkCaps()}
	checks = append(checks, checkMoreCaps()...)
	return append(checks, checkFilter(), checkLockdown(), checkMemory(), checkPrograms(), checkNamespace())
}

// checkMemory says that a limit which many have learnt to raise does not matter:
// since Linux 5.11 the memory of BPF counts for the control group.
func checkMemory() check {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &lim); err != nil {
		return check{Name: "memory", State: stateWarn, Text: fmt.Sprintf("reading ulimit -l: %v", err)}
	}
	limit := "unlimited"
	if lim.Cur != unix.RLIM_INFINITY {
		limit = fmt.Sprintf("%d KiB", lim.Cur>>10)
	}
	return pass("memory", "ulimit -l (%s) does not matter; a buffer of %d MiB counts for the control group", limit, defaultBuffer>>20)
}

// checkPrograms does what tracing does first: it loads the programs, attaches
// them, and takes them away again.
func checkPrograms() check {
	c := check{Name: "programs", State: stateFail}
	if err := checkPrivileges(); err != nil {
		c.State, c.Text = stateWarn, "not tried without the capabilities"
		if forbidsBPF() {
			c.Text = "not tried without bpf(2)"
		}
		return c
	}
	ns, err := procfs.SelfNamespace("pid")
	if err != nil {
		c.Text = err.Error()
		return c
	}
	began := time.Now()
	p, err := probe.Open(probe.Options{RingBytes: minBuffer, PIDNamespace: uint32(ns)})
	if err != nil {
		c.Text = err.Error()
		return c
	}
	took := time.Since(began).Round(time.Millisecond)
	order, why := p.Order()
	if err := p.Close(); err != nil {
		c.Text = fmt.Sprintf("taking them away: %v", err)
		return c
	}
	c = pass("programs", "loaded and attached in %v, and taken away again; changes are ordered by the kernel's lock", took)
	if order != probe.OrderLock {
		c.State = stateWarn
		c.Text = fmt.Sprintf("loaded and attached in %v, and taken away again; changes are ordered by calls (%s)", took, why)
		c.Next = "nothing, unless threads of the target race for the same addresses; --order lock is exact, where there is that hook"
	}
	return c
}

func checkKernel() check {
	h, err := procfs.ReadHost()
	if err != nil {
		return check{Name: "kernel", State: stateFail, Text: err.Error()}
	}
	var major, minor, wantMajor, wantMinor int
	fmt.Sscanf(oldestKernel, "%d.%d", &wantMajor, &wantMinor)
	if n, _ := fmt.Sscanf(h.Kernel, "%d.%d", &major, &minor); n != 2 {
		return check{Name: "kernel", State: stateWarn, Text: fmt.Sprintf("%s %s: not a version that is understood", h.Kernel, h.Arch)}
	}
	if major < wantMajor || major == wantMajor && minor < wantMinor {
		return check{Name: "kernel", State: stateFail, Text: fmt.Sprintf("%s %s is older than %s", h.Kernel, h.Arch, oldestKernel),
			Next: "a newer kernel of the distribution, or another machine"}
	}
	return pass("kernel", "%s %s, %d CPUs", h.Kernel, h.Arch, h.CPUs)
}

func checkBTF() check {
	info, err := os.Stat(kernelBTF)
	if err != nil {
		return check{Name: "BTF", State: stateFail, Text: fmt.Sprintf("%s: %v", kernelBTF, bareCause(err)),
			Next: "a kernel built with CONFIG_DEBUG_INFO_BTF, as those of Debian, Ubuntu and Fedora are; in a container, mount /sys"}
	}
	return pass("BTF", "%s, %d KiB", kernelBTF, info.Size()>>10)
}

func checkTracepoints() check {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return check{Name: "tracepoints", State: stateFail, Text: fmt.Sprintf("reading the kernel's types: %v", err)}
	}
	var names, missing []string
	for _, t := range tracepoints {
		var td *btf.Typedef
		if err := spec.TypeByName("btf_trace_"+t.name, &td); err != nil {
			missing = append(missing, t.name+" ("+t.use+")")
			continue
		}
		names = append(names, t.name)
	}
	if len(missing) > 0 {
		return check{Name: "tracepoints", State: stateFail, Text: "missing: " + strings.Join(missing, ", "),
			Next: "a kernel built with CONFIG_TRACEPOINTS and CONFIG_FTRACE_SYSCALLS"}
	}
	return pass("tracepoints", "%s", strings.Join(names, ", "))
}

func checkLockdown() check {
	text, err := os.ReadFile(lockdownFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pass("lockdown", "not in this kernel, or securityfs is not mounted")
	case err != nil:
		return check{Name: "lockdown", State: stateWarn, Text: fmt.Sprintf("%s: %v", lockdownFile, bareCause(err))}
	}
	mode := lockdownMode(string(text))
	if mode == "confidentiality" {
		return check{Name: "lockdown", State: stateFail, Text: mode + ": BPF programs may not read memory",
			Next: "boot with lockdown=integrity"}
	}
	return pass("lockdown", "%s", mode)
}

// lockdownMode returns the chosen one of "none [integrity] confidentiality".
func lockdownMode(text string) string {
	_, rest, _ := strings.Cut(text, "[")
	mode, _, ok := strings.Cut(rest, "]")
	if !ok {
		return "unknown"
	}
	return mode
}

func checkNamespace() check {
	inner, ok := inPIDNamespace()
	switch {
	case !ok:
		return check{Name: "pid namespace", State: stateWarn, Text: "it cannot be told which one this is",
			Next: "mount /proc"}
	case inner:
		return check{Name: "pid namespace", State: stateWarn,
			Text: "not the host's (a container?): only its own processes can be named, by their ids in here",
			Next: "run on the host, or with hostPID: true / --pid=host, to trace others"}
	}
	return pass("pid namespace", "the host's")
}
