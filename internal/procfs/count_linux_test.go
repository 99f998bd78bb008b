package procfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// The numbers are those that reading everything gives, and change by what is done.
func TestCounts(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for range 7 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	word := []byte("x\n")
	if _, err := in.Write(word); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, word); err != nil { // it has begun
		t.Fatal(err)
	}
	p, err := Open(event.PID(cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.CountFDs(); n != uint64(len(names)) || n < 3+7 || err != nil { // what is inherited comes on top
		t.Errorf("%d file descriptors, %v, want %d", n, err, len(names))
	}
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.CountMappings(); n != uint64(len(regions)) || n == 0 || err != nil {
		t.Errorf("%d mappings, %v, want %d", n, err, len(regions))
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CountMappings(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("mappings of a process that has ended: %v", err)
	}
	if _, err := p.CountFDs(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("file descriptors of a process that has ended: %v", err)
	}
}
