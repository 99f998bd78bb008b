package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// targetChecks checks one process.
func targetChecks(pid event.PID) []check {
	name := fmt.Sprintf("process %d", pid)
	p, err := procfs.Open(pid)
	if err != nil {
		return []check{cannotOpen(name, err)}
	}
	defer p.Close()
	exe, err := p.Exe()
	if err != nil {
		exe = "a program whose path may not be read"
	}
	return []check{
		pass(name, "%s, %s", oneLine(p.Comm()), oneLine(exe)),
		checkClass(p),
		checkMaps(p),
		checkResident(p),
		checkSymbols(p),
	}
}

func cannotOpen(name string, err error) check {
	c := check{Name: name, State: stateFail, Text: err.Error(), code: exitCode(err)}
	var thread *procfs.ErrThread
	switch {
	case errors.As(err, &thread):
		c.Next = fmt.Sprintf("mmtrace doctor -p %d", thread.TGID)
	case errors.Is(err, procfs.ErrNoProcess):
		steps := adviseNoProcess()
		c.Next = steps[len(steps)-1].text
	case errors.Is(err, fs.ErrPermission):
		c.Next = fmt.Sprintf("sudo mmtrace doctor -p %s", name[len("process "):])
	}
	return c
}

func checkClass(p *procfs.Process) check {
	if p.Is32() {
		return check{Name: "program", State: stateWarn, Text: "a 32-bit program: its calls are seen, but not the paths that they came by"}
	}
	return pass("program", "64-bit")
}

// checkMaps reads the map, and warns if it is near the limit of its length.
func checkMaps(p *procfs.Process) check {
	regions, err := p.Maps()
	if err != nil {
		return check{Name: "map", State: stateFail, Text: err.Error(), code: exitCode(err)}
	}
	text := fmt.Sprintf("%d regions", len(regions))
	h, err := procfs.ReadHost()
	if err != nil || h.MaxMapCount == 0 {
		return pass("map", "%s", text)
	}
	text += fmt.Sprintf(" of %d allowed", h.MaxMapCount)
	if uint64(len(regions))*10 >= h.MaxMapCount*9 {
		return check{Name: "map", State: stateWarn, Text: text + ": calls that map will soon fail with ENOMEM",
			Next: "sudo sysctl -w vm.max_map_count=" + fmt.Sprint(4*h.MaxMapCount) + ", until the leak is found"}
	}
	return pass("map", "%s", text)
}

// checkResident tries whether it may be looked up what is in memory.
func checkResident(p *procfs.Process) check {
	_, err := p.Resident(nil, procfs.ResidentScan{})
	if errors.Is(err, fs.ErrPermission) {
		return check{Name: "in memory", State: stateWarn, Text: "how much of its mappings is in memory may not be looked up",
			Next: toGet(append(slices.Clone(allCaps), "cap_dac_read_search"), []string{"cap_dac_read_search"})}
	}
	if err != nil {
		return check{Name: "in memory", State: stateWarn, Text: err.Error()}
	}
	return pass("in memory", "it can be looked up how much of its mappings is")
}

// checkSymbols looks for what names the functions of the program itself.
func checkSymbols(p *procfs.Process) check {
	unread := check{Name: "symbols", State: stateWarn, Text: "the program may not be read: its functions have no names"}
	file, err := openExe(p)
	if err != nil {
		return unread
	}
	defer file.Close()
	f, err := elf.NewFile(file)
	if err != nil {
		return unread
	}
	switch {
	case f.Section(".gopclntab") != nil || f.Section(".data.rel.ro.gopclntab") != nil:
		return pass("symbols", "the function table of a Go program")
	case f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil:
		return pass("symbols", "debug information")
	case f.Section(".symtab") != nil:
		return pass("symbols", "a symbol table")
	}
	return check{Name: "symbols", State: stateWarn, Text: "the program is stripped: only the functions that it exports have names",
		Next: "the debug symbol package (name-dbgsym, name-debuginfo) or a build that is not stripped"}
}

// openExe opens the program through a region that maps it.
func openExe(p *procfs.Process) (*os.File, error) {
	exe, err := p.Exe()
	if err != nil {
		return nil, err
	}
	regions, err := p.Maps()
	if err != nil {
		return nil, err
	}
	exe = strings.ReplaceAll(exe, `\012`, "\n") // as in a region's path
	for _, r := range regions {
		if r.Path == exe {
			return p.OpenRegion(r)
		}
	}
	return nil, procfs.ErrNoFile
}
