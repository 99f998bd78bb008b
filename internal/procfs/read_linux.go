package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

const elfClass32 = 1 // ELFCLASS32 of elf(5)

// Maps returns the kernel's map of the address space, in address order and
// without [vsyscall]. If the first thread has ended, another one's is read,
// which is the same.
func (p *Process) Maps() ([]event.Region, error) {
	f, err := p.openTask("maps")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	regions, err := ParseMaps(f)
	if err != nil {
		return nil, p.wrap("maps", err)
	}
	if len(regions) == 0 && !p.Alive() {
		return nil, p.wrap("maps", ErrNoProcess)
	}
	return regions, nil
}

// openTask opens a file of /proc/PID that the kernel leaves empty, or does not
// open, if the first thread has ended: then that of a live thread.
func (p *Process) openTask(name string) (*os.File, error) {
	if s, err := p.readStat("stat"); err != nil || !s.Ended() {
		return p.open(name)
	}
	task, err := p.liveTask()
	if err != nil {
		return nil, err
	}
	return p.open(task + name)
}

// liveTask returns the directory of a thread that has not ended, "task/TID/".
func (p *Process) liveTask() (string, error) {
	d, err := p.open("task")
	if err != nil {
		return "", err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return "", p.wrap("task", err)
	}
	for _, tid := range names {
		dir := "task/" + tid + "/"
		if s, err := p.readStat(dir + "stat"); err == nil && !s.Ended() {
			return dir, nil
		}
	}
	return "", p.wrap("task", ErrNoProcess)
}

func (p *Process) readStat(name string) (Stat, error) {
	text, err := p.read(name)
	if err != nil {
		return Stat{}, err
	}
	s, err := ParseStat(text)
	if err != nil {
		return Stat{}, p.wrap(name, err)
	}
	return s, nil
}

// Status returns the present fields of /proc/PID/status.
func (p *Process) Status() (Status, error) {
	text, err := p.read("status")
	if err != nil {
		return Status{}, err
	}
	s, err := ParseStatus(text)
	if err != nil {
		return Status{}, p.wrap("status", err)
	}
	return s, nil
}

// Comm returns the present name of the process, at most 15 bytes, or the one it
// was opened with if it is gone.
func (p *Process) Comm() string {
	text, err := p.read("comm")
	if err != nil {
		return p.stat.Comm
	}
	return trimComm(text)
}

// Exe returns the path of the program that runs, with " (deleted)" after it if
// it was removed, as seen from the caller's root.
func (p *Process) Exe() (string, error) {
	path, err := p.readlink("exe")
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		if task, terr := p.liveTask(); terr == nil {
			path, err = p.readlink(task + "exe")
		}
	}
	if err != nil {
		return "", p.wrap("exe", err)
	}
	return path, nil
}

func (p *Process) readlink(name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(p.dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// Cmdline returns the arguments of the program, its name first, less empty ones
// at the end; nil if they cannot be read.
func (p *Process) Cmdline() []string {
	f, err := p.openTask("cmdline")
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || len(text) == 0 {
		return nil
	}
	// A program that wrote its title over its arguments leaves zeros behind.
	return strings.Split(string(bytes.TrimRight(text, "\x00")), "\x00")
}

// TotalPages returns the size of the address space in pages, as the kernel
// counts it (mm->total_vm).
func (p *Process) TotalPages() (uint64, error) {
	f, err := p.openTask("statm")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var pages uint64
	if _, err := fmt.Fscan(f, &pages); err != nil {
		return 0, p.wrap("statm", err)
	}
	return pages, nil
}

// Namespace returns the number of the process's namespace of a kind ("pid",
// "mnt", "net", "user", ...), by which the kernel names it: "pid:[4026531836]".
func (p *Process) Namespace(kind string) (uint64, error) {
	link, err := p.readlink("ns/" + kind)
	if err != nil {
		return 0, p.wrap("ns/"+kind, err)
	}
	return namespaceOf(link)
}

// SelfNamespace is Namespace of the caller.
func SelfNamespace(kind string) (uint64, error) {
	link, err := os.Readlink("/proc/self/ns/" + kind)
	if err != nil {
		return 0, err
	}
	return namespaceOf(link)
}

func namespaceOf(link string) (uint64, error) {
	_, id, _ := strings.Cut(link, ":[")
	n, err := strconv.ParseUint(strings.TrimSuffix(id, "]"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a namespace: %q", link)
	}
	return n, nil
}

// readClass returns the ELF class of the program, 0 if it cannot be read.
func (p *Process) readClass() byte {
	f, err := p.openTask("exe")
	if err != nil {
		return 0
	}
	defer f.Close()
	var ident [5]byte
	if _, err := io.ReadFull(f, ident[:]); err != nil || string(ident[:4]) != "\x7fELF" {
		return 0
	}
	return ident[4]
}
