package session

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestKill attaches the program to processes under load and ends it at random
// moments, by SIGKILL and by SIGINT. The processes must not notice, and nothing
// may stay behind in the kernel. MMTRACE_KILLS is how often for each process.
func TestKill(t *testing.T) {
	tests := []struct {
		src  string
		args []string
		last string // how the last line before "done" begins
	}{
		{"pairs.c", []string{"8", "10", "2"}, "truth pairs_leaf 0"},
		{"chaos.c", []string{"8", "4", "1", "3"}, "calls "},
	}
	exe := testutil.GoBuild(t, "github.com/mmtrace/mmtrace/cmd/mmtrace")
	pinned := pins(t)
	row := testutil.NewFault(t, "tracer killed under load (SIGKILL, SIGINT)")
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			p := testutil.Start(t, testutil.Compile(t, tt.src, "-O2"), tt.args...)
			p.Send("go")
			rnd := rand.New(rand.NewPCG(1, 2))
			seen := make(map[string]int)
			for i := range env("MMTRACE_KILLS", 6) {
				sig := syscall.SIGKILL
				if i%3 == 2 {
					sig = syscall.SIGINT
				}
				wait := time.Duration(rnd.IntN(700)) * time.Millisecond
				for kind, n := range killTracer(t, exe, p.PID(), sig, i%2 == 0, wait) {
					seen[kind] += n
				}
				row.Add(0, !t.Failed()) // nothing of it is left
			}
			lines := p.WaitFor("done")
			if len(lines) == 0 || !strings.HasPrefix(lines[len(lines)-1], tt.last) {
				t.Errorf("%s says %q", tt.src, lines)
			}
			p.Close() // with status 0
			if seen["prog_id"] == 0 || seen["map_id"] == 0 || seen["link_id"] == 0 {
				t.Errorf("no tracer was met at work: %v", seen)
			}
			t.Logf("objects that were there and are gone: %v", seen)
		})
	}
	if now := pins(t); now != pinned {
		t.Errorf("pinned files: before %q, after %q", pinned, now)
	}
}

// killTracer lets the program trace a process for a while, which counts from its
// start or from when its programs are attached, ends it, and checks that all that it
// had in the kernel goes with it. It returns how much that was, by kind.
func killTracer(t *testing.T, exe string, pid int, sig syscall.Signal, attached bool, wait time.Duration) map[string]int {
	t.Helper()
	cmd := exec.Command(exe, "-q", "-d", "0", "-f", "-p", strconv.Itoa(pid))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if attached {
		eventually(t, "the tracer to be attached", func() bool { return len(objects(cmd.Process.Pid)["link_id"]) > 0 })
	}
	time.Sleep(wait) // the moment is what is varied
	held := objects(cmd.Process.Pid)
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if sig == syscall.SIGINT && attached && ws.ExitStatus() != 0 {
		t.Errorf("after SIGINT: %v\n%s", cmd.ProcessState, &stderr)
	}
	n := make(map[string]int)
	for kind, ids := range held {
		for _, id := range ids {
			eventually(t, kind+" "+strconv.Itoa(int(id))+" to be gone", func() bool { return gone(kind, id) })
			n[kind]++
		}
	}
	return n
}

// objects returns the BPF programs, maps and links that a process holds, by the
// names that /proc/PID/fdinfo gives their ids.
func objects(pid int) map[string][]uint32 {
	out := make(map[string][]uint32)
	files, err := filepath.Glob(procPath(pid, "fdinfo/*"))
	if err != nil {
		return nil
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			kind, value, _ := strings.Cut(line, ":")
			if kind == "prog_id" || kind == "map_id" || kind == "link_id" {
				out[kind] = append(out[kind], uint32(number(strings.TrimSpace(value))))
			}
		}
	}
	return out
}

// gone reports whether an object is not in the kernel any more.
func gone(kind string, id uint32) bool {
	var err error
	switch kind {
	case "prog_id":
		var p *ebpf.Program
		if p, err = ebpf.NewProgramFromID(ebpf.ProgramID(id)); err == nil {
			p.Close()
		}
	case "map_id":
		var m *ebpf.Map
		if m, err = ebpf.NewMapFromID(ebpf.MapID(id)); err == nil {
			m.Close()
		}
	case "link_id":
		var l link.Link
		if l, err = link.NewFromID(link.ID(id)); err == nil {
			l.Close()
		}
	}
	return errors.Is(err, fs.ErrNotExist)
}

// pins returns the names of all pinned files.
func pins(t *testing.T) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir("/sys/fs/bpf", func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}
