package unwind

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// goARM64 returns a Go program for arm64 and where its functions begin.
func goARM64(t *testing.T) (*Table, *Infos, map[string]uint64) {
	t.Helper()
	t.Setenv("GOARCH", "arm64")
	t.Setenv("GOOS", "linux")
	t.Setenv("CGO_ENABLED", "0")
	exe := testutil.GoBuild(t, "./testdata/gowalk")
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(filepath.Clean(exe))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]uint64{}
	for _, s := range symbols {
		at[s.Name] = s.Value
	}
	infos := NewInfos()
	table, err := buildBytes(b, infos)
	if err != nil {
		t.Fatal(err)
	}
	return table, infos, at
}

// From C that a goroutine of an arm64 program has called, the walk comes back to
// the goroutine's stack; C that the scheduler's stack has called stays there.
func TestWalkSwitch(t *testing.T) {
	table, infos, at := goARM64(t)
	begin, ok := at["runtime.asmcgocall.abi0"]
	if !ok {
		t.Fatal("no asmcgocall")
	}
	var calls []uint64
	for a := begin; a < begin+240; a++ {
		if x, _ := table.Find(a); infos.At(x).Kind == Switch {
			calls = append(calls, a)
		} else if infos.At(x).Kind != FramePointer {
			t.Errorf("%#x: %v", a, infos.At(x).Kind)
		}
	}
	if len(calls) != callSize || calls[0]%4 != 0 {
		t.Fatalf("asmcgocall at %#x switches at %#x", begin, calls)
	}
	back, cgocall, exit := bias+calls[0]+callSize, bias+at["runtime.cgocall"]+0x40, bias+at["runtime.goexit.abi0"]+4
	const (
		scheduler = 0x7ffc00001000
		stack     = 0x4000010000
		g         = 0x4000001000
	)
	words := map[uint64]uint64{
		scheduler: g, scheduler + 8: 0x100, g + 8: stack,
		stack - 0x108: stack - 0x80, stack - 0x100: cgocall,
		stack - 0x80: 0, stack - 0x78: exit,
	}
	w := Walker{
		Infos: infos, ARM: true,
		Find: func(uint64) (Code, bool) { return Code{table, bias}, true },
		Read: func(addr uint64) (uint64, bool) { v, ok := words[addr]; return v, ok },
	}
	got := w.Walk(State{PC: back, SP: scheduler, FP: 8, Call: true}, nil)
	if diff := cmp.Diff([]uint64{back, cgocall, exit}, got.Frames); diff != "" || got.Stop != StopRoot || got.Guessed != 0 {
		t.Errorf("%v, %d guessed: %s", got.Stop, got.Guessed, diff)
	}
	delete(words, g+8)
	if got = w.Walk(State{PC: back, SP: scheduler, FP: 8, Call: true}, nil); got.Stop != StopFault {
		t.Errorf("without the goroutine: %v", got.Stop)
	}
	if got = w.Walk(State{PC: back, SP: scheduler, FP: 9, Call: true, Blind: true}, nil); got.Stop != StopGap {
		t.Errorf("without a stack pointer: %v", got.Stop)
	}
}
