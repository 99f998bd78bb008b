package procfs

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestLeaderlessProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PROCFS_TARGET=leaderless")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	pid := start(t, cmd)
	io.ReadFull(out, make([]byte, len("ready\n")))
	waitState(t, pid, 'Z')

	p := mustOpen(t, pid)
	regions, err := p.Maps()
	if err != nil || len(regions) == 0 {
		t.Errorf("%d regions, %v", len(regions), err)
	}
	if exe, err := p.Exe(); err != nil || exe == "" {
		t.Errorf("exe %q, %v", exe, err)
	}
	if pages, err := p.TotalPages(); err != nil || pages == 0 {
		t.Errorf("total pages %d, %v", pages, err)
	}
	if len(p.Cmdline()) == 0 {
		t.Error("no cmdline")
	}
}

func TestWait(t *testing.T) {
	cmd := exec.Command("cat")
	pid := start(t, cmd)
	p := mustOpen(t, pid)

	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("window closed")
	time.AfterFunc(5*time.Millisecond, func() { cancel(cause) })
	if err := p.Wait(ctx); err != cause {
		t.Errorf("Wait of a living process: %v, want %v", err, cause)
	}
	cmd.Process.Kill()
	if err := p.Wait(context.Background()); err != nil {
		t.Errorf("Wait of a killed process: %v", err)
	}
	if p.Alive() {
		t.Error("alive after Wait")
	}
	if _, err := p.Maps(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("Maps of a zombie: %v", err)
	}
	cmd.Wait()
	if _, err := p.Maps(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("Maps of a process that is gone: %v", err)
	}
	if p.Comm() != "cat" {
		t.Errorf("comm %q, want the one at Open", p.Comm())
	}
}

func TestListAndFind(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a-name-longer-than-15")
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cat)
	cmd.Args[0] = name
	pid := start(t, cmd)
	for _, name := range []string{"cat", "a-name-longer-than-15"} {
		for deadline := time.Now().Add(5 * time.Second); ; {
			list, err := Find(name)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(list, Entry{pid, event.PID(os.Getpid()), "cat"}) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q is not process %d but %v", name, pid, list)
			}
		}
	}
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(list, Entry{pid, event.PID(os.Getpid()), "cat"}) {
		t.Errorf("process %d is not listed in %v", pid, list)
	}
}
