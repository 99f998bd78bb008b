package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cilium/ebpf"

	"github.com/mmtrace/mmtrace/internal/probe"
)

// A resting is a program that mmtrace is attached to for its size: it comes to rest
// and waits.
type resting struct {
	name string
	argv []string
	copy int // of processes
}

var restings = []resting{
	{"redis-server", []string{"redis-server", "--port", "0", "--unixsocket", "redis-memory", "--save", ""}, 1},
	{"node", []string{"node", "-e", "setInterval(() => {}, 1e6)"}, 1},
	{"clang-19 (libLLVM, libclang-cpp)", []string{"clang-19", "-x", "c", "-fsyntax-only", "-"}, 1},
	{"50 × python3, sharing libraries", []string{"python3", "-c", "import ssl, sqlite3, sys; sys.stdin.read()"}, 50},
}

// memoryTable measures what mmtrace holds of programs of different sizes.
func (b *bench) memoryTable() error {
	var rows [][]string
	for i, r := range restings {
		if b.quick && i > 0 {
			break // the others take their time
		}
		if _, err := exec.LookPath(r.argv[0]); err != nil {
			fmt.Fprintf(b.log, "%s: not installed\n", r.argv[0])
			continue
		}
		row, err := b.memory(r)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	b.table("Memory", "Of mmtrace a second after it attached: its own, and what the kernel holds in BPF maps. The ring is mapped twice\n"+
		"in a row, so that tools that count pages show twice its size.",
		[]string{"attached to", "own memory", "BPF maps", "of which the ring"}, rows)
	return nil
}

// memory attaches to all copies of a program.
func (b *bench) memory(r resting) ([]string, error) {
	var pids []int
	for range r.copy {
		cmd := exec.Command(r.argv[0], r.argv[1:]...)
		cmd.Dir = b.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", r.name, err)
		}
		defer func() {
			_ = in.Close()
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
		}()
		rest(cmd.Process.Pid)
		pids = append(pids, cmd.Process.Pid)
	}
	t := toolNamed("mmtrace")
	t.settle = time.Second
	a, err := b.attach(t, pids...)
	if err != nil {
		return nil, err
	}
	pid := a.cmd.Process.Pid
	own := field(fmt.Sprintf("/proc/%d/status", pid), "RssAnon:") << 10
	maps, ring := lockedByMaps(pid)
	a.detach()
	return []string{r.name, mebibytes(own), mebibytes(maps), mebibytes(ring)}, nil
}

// rest waits until a process has taken no time for a while.
func rest(pid int) {
	last := ""
	for range 100 {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if string(b) == last {
			return
		}
		last = string(b)
		time.Sleep(200 * time.Millisecond)
	}
}

// lockedByMaps returns the bytes of the BPF maps that a process has open, and of
// those that lie in them: unwind tables, and lists of code; and how many of these
// are ring buffers.
func lockedByMaps(pid int) (total, rings int64) {
	infos, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	seen := map[int64]bool{}
	for _, name := range infos {
		id := field(name, "map_id:")
		if id == 0 || seen[id] {
			continue
		}
		seen[id] = true
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		if err != nil {
			continue // it has gone
		}
		size := int64(probe.BytesOf(m))
		if m.Type() == ebpf.RingBuf {
			rings += size
		}
		total += size + lockedInside(m)
		_ = m.Close()
	}
	return total, rings
}

// lockedInside returns the bytes of the maps in a map.
func lockedInside(outer *ebpf.Map) (total int64) {
	if t := outer.Type(); t != ebpf.ArrayOfMaps && t != ebpf.HashOfMaps {
		return 0
	}
	var key uint32
	var inner *ebpf.Map // Next closes the one before
	for it := outer.Iterate(); it.Next(&key, &inner); {
		total += int64(probe.BytesOf(inner))
	}
	if inner != nil {
		_ = inner.Close()
	}
	return total
}

// field returns the number behind a word at the start of a line, 0 if there is none.
func field(name, word string) int64 {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), word); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
			return n
		}
	}
	return 0
}
