// Vminit is the first process of an emulated machine that scripts/vmtest boots.
// It mounts what tests expect, runs the commands in /vm/args with the variables
// in /vm/env, both NUL-separated, and turns the machine off. Between two commands
// stands a "+". Lines that begin with "@@VM" tell the script how far it got:
//
//	@@VM boot KERNEL
//	@@VM run COMMANDS
//	@@VM begin NAME SECONDS
//	@@VM rc=STATUS
//
// The third comes before each of several commands, with the seconds since the first
// began. The status is that of the first command that failed, 0 if none did.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mounts are made in this order.
var mounts = []struct{ source, kind, at string }{
	{"", "devtmpfs", "/dev"},
	{"", "tmpfs", "/dev/shm"},
	{"", "devpts", "/dev/pts"},
	{"", "proc", "/proc"},
	{"", "sysfs", "/sys"},
	{"", "tracefs", "/sys/kernel/tracing"},
	{"", "bpf", "/sys/fs/bpf"},
	{"", "cgroup2", "/sys/fs/cgroup"},
	{"", "tmpfs", "/tmp"},
	{"", "tmpfs", "/run"},
	{disk, "ext4", "/var/tmp"},
}

// links are in the /dev of every system.
var links = map[string]string{
	"/dev/fd":     "/proc/self/fd",
	"/dev/stdin":  "/proc/self/fd/0",
	"/dev/stdout": "/proc/self/fd/1",
	"/dev/stderr": "/proc/self/fd/2",
}

// disk is there if vmtest was asked for it.
const disk = "/dev/nvme0n1"

func main() {
	for _, m := range mounts {
		if err := mount(m.source, m.kind, m.at); err != nil {
			fmt.Printf("vminit: mounting %s: %v\n", m.at, err)
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, name); err != nil {
			fmt.Printf("vminit: making %s: %v\n", name, err)
		}
	}
	if err := raiseLoopback(); err != nil {
		fmt.Println("vminit: network of this machine alone:", err)
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		fmt.Println("vminit: reading the kernel's name:", err)
	}
	fmt.Println("@@VM boot", unix.ByteSliceToString(u.Release[:]))
	args, err := readList("/vm/args")
	if err != nil || len(args) == 0 {
		fmt.Println("vminit: no command:", err)
		args = []string{"/vm/test"}
	}
	fmt.Printf("@@VM run %q\n", args)
	fmt.Printf("@@VM rc=%d\n", runAll(args))
	unix.Sync()
	time.Sleep(50 * time.Millisecond) // for the console
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("vminit: turning off:", err)
	}
}

func mount(source, kind, at string) error {
	if _, err := os.Stat(source); source != "" && err != nil {
		return nil
	}
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return unix.Mount(cmp.Or(source, kind), at, kind, 0, "")
}

// raiseLoopback lets programs reach each other at 127.0.0.1.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// readList returns the NUL-terminated strings in a file.
func readList(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), nil
}

// runAll runs commands one after the other and returns the first status that is
// not 0.
func runAll(args []string) (status int) {
	start := time.Now()
	several := slices.Contains(args, "+")
	for len(args) > 0 {
		n := slices.Index(args, "+")
		if n < 0 {
			n = len(args)
		}
		if n > 0 && several {
			fmt.Printf("@@VM begin %s %.0f\n", filepath.Base(args[0]), time.Since(start).Seconds())
		}
		if n > 0 {
			status = cmp.Or(status, run(args[:n]))
		}
		args = args[min(n+1, len(args)):]
	}
	return status
}

// run runs a command in its program's directory and returns its status as a shell would.
func run(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(args[0]), os.Stdout, os.Stderr
	cmd.Env = []string{"PATH=/usr/bin:/usr/sbin:/bin:/sbin:/vm", "HOME=/tmp"}
	env, err := readList("/vm/env")
	if err != nil {
		fmt.Println("vminit:", err)
	}
	if _, err := os.Stat(disk); err == nil {
		cmd.Env = append(cmd.Env, "TMPDIR=/var/tmp")
	}
	cmd.Env = append(cmd.Env, env...)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		fmt.Printf("vminit: %v (a program here must be static)\n", err)
		return 127
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return exit.ExitCode()
}
