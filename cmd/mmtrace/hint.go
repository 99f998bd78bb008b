package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/recording"
)

// An advice is one next step after an error.
type advice struct {
	label string // "try:", "or:", "why:"
	text  string
}

// advise returns the next steps after err, best first. This is the one place
// that gives advice by the kind of an error; a usageError carries its own, since
// only who found it knows what was meant.
func advise(err error, args []string) []advice {
	var (
		usage  *usageError
		rights *privilegeError
		output *outputError
		start  *startError
		thread *procfs.ErrThread
		gone   *goneError
	)
	switch {
	case errors.As(err, &usage):
		return append(usage.advice, advice{"help:", "mmtrace --help"})
	case errors.As(err, &output):
		return adviseOutput(output)
	case errors.As(err, &start):
		return start.advice()
	case errors.As(err, &rights):
		return adviseRights(rights, args)
	case errors.As(err, &thread):
		return []advice{{"try:", shellQuote(withProcess(args, thread)...)}}
	case errors.As(err, &gone):
		return []advice{{"try:", "mmtrace -- COMMAND, which traces it from its start"}}
	case errors.Is(err, procfs.ErrNoProcess), errors.Is(err, errNotCalled):
		return adviseNoProcess()
	case errors.Is(err, procfs.ErrZombie):
		return []advice{{"why:", "its memory is gone already; only its exit status is left"}}
	case errors.Is(err, procfs.ErrKernelThread):
		return []advice{{"try:", "a process that runs a program: ps -e -o pid,comm,vsz --sort -vsz"}}
	case noProc():
		return []advice{{"try:", "mount -t proc proc /proc"}}
	case errors.Is(err, ebpf.ErrNotSupported):
		return []advice{
			{"why:", "mmtrace doctor"},
			{"try:", "a kernel with CONFIG_DEBUG_INFO_BTF=y; in a container, mount /sys"},
		}
	case errors.Is(err, recording.ErrFormat):
		return []advice{{"try:", "mmtrace record -o x.mmtrace -p PID, which makes a recording"}}
	case errors.Is(err, procfs.ErrNotSupported):
		return []advice{{"try:", "mmtrace report FILE.mmtrace works here, with a recording made on Linux"}}
	case errors.Is(err, fs.ErrPermission) && !runsAsRoot():
		return []advice{{"try:", withSudo(args)}, {"why:", "mmtrace doctor"}}
	case errors.Is(err, fs.ErrPermission):
		return []advice{{"why:", "mmtrace doctor"}}
	}
	return nil
}

// noProc reports whether /proc is not mounted where it ought to be.
func noProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return errors.Is(err, fs.ErrNotExist) && runtime.GOOS == "linux"
}

// withProcess returns the user's own words with the process in place of its
// thread.
func withProcess(args []string, t *procfs.ErrThread) []string {
	words := slices.Clone(args)
	for i, w := range words {
		if i > 0 && w == fmt.Sprint(t.TID) {
			words[i] = fmt.Sprint(t.TGID)
			return words
		}
	}
	return []string{"mmtrace", "-p", fmt.Sprint(t.TGID)}
}

func adviseRights(e *privilegeError, args []string) []advice {
	why := advice{"why:", "mmtrace doctor"}
	switch {
	case e.filter:
		return []advice{{"try:", withoutFilter}, why}
	case len(e.missing) == 0:
		return []advice{{"try:", outsideUserNamespace}, why}
	case runsAsRoot(): // sudo would not help
		return []advice{{"try:", "start the container or service with " + strings.Join(e.missing, ", ")}, why}
	}
	return []advice{{"try:", withSudo(args)}, {"or:", setcapLine(allCaps)}, why}
}

// outsideUserNamespace is what helps where root is none to the kernel.
const outsideUserNamespace = "run mmtrace on the host, as root there: it can trace what runs in a rootless container, too"

// withoutFilter is what helps where a seccomp filter forbids what root may.
const withoutFilter = "start the container with --security-opt seccomp=unconfined, or --privileged; a service without SystemCallFilter="

// setcapLine is the command that gives this program capabilities.
func setcapLine(caps []string) string {
	return "sudo setcap " + strings.Join(caps, ",") + "+ep " + quoteWord(ownPath())
}

func adviseOutput(e *outputError) []advice {
	if errors.Is(e.err, export.ErrUnknown) { // the process has ended, or nobody looked
		return []advice{{"try:", "--folded-value bytes"}}
	}
	if errors.Is(e.err, export.ErrNoHalf) { // a window without a length
		return []advice{{"try:", "-F folded, for what there was at the end"}}
	}
	if errors.Is(e.err, fs.ErrNotExist) {
		return []advice{{"try:", "make the directory, or -o with another"}}
	}
	if errors.Is(e.err, syscall.ENOSPC) || errors.Is(e.err, syscall.EDQUOT) {
		return []advice{{"try:", "make room, or -o with a file on another disk"}}
	}
	return []advice{{"try:", "-o with a file that can be written, or -o - for standard output"}}
}

func adviseNoProcess() []advice {
	steps := []advice{{"try:", "ps -e -o pid,comm,vsz --sort -vsz"}}
	if inner, ok := inPIDNamespace(); ok && inner {
		steps = append(steps, advice{"note:", "this is a pid namespace of its own (a container?): it sees only its own processes, by other ids than the host's"})
	}
	return steps
}

// writeAdvice prints steps under an error, aligned.
func writeAdvice(w io.Writer, steps []advice) {
	for _, s := range steps {
		fmt.Fprintf(w, "  %-6s %s\n", s.label, printable(s.text))
	}
}
