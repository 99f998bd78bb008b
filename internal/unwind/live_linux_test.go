package unwind

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestWalkLive compares the kernel side's stacks of a process with those of
// the model on a copy of the same stack, and with gdb's.
func TestWalkLive(t *testing.T) {
	if *prebuilt != "" {
		walkLive(t, filepath.Join(*prebuilt, "walk", "walk"), false)
		return
	}
	for _, flags := range [][]string{
		{"CC=gcc", "-O2"},
		{"CC=gcc", "-O3", "-mavx2", "-static"},
		{"CC=gcc", "-O0", "-static-pie"},
		{"CC=clang-19", "-O2"},
		{"CC=clang-19", "-O1", "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"},
	} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			if testing.Short() && flags[0] != "CC=gcc" {
				t.Skip("gcc's are enough for a short run")
			}
			walkLive(t, testutil.Compile(t, "./testdata/walk.c", flags...), true)
		})
	}
}

func walkLive(t *testing.T, exe string, debugger bool) {
	t.Helper()
	p := testutil.Start(t, exe)
	k := newKernel(t, p.PID())
	frames := func() [][]uint64 { return nil }
	if debugger {
		frames = startGDB(t, p.PID())
	}
	p.Run()
	samples := k.read()
	p.Close()
	k.compareModel(samples)
	if debugger {
		compareGDB(t, samples, frames())
	}
	for i, s := range samples {
		if s.stop != StopRoot && len(s.frames) < MaxFrames || s.guessed != 0 {
			t.Errorf("sample %d: %v, %d guessed: %x", i, s.stop, s.guessed, s.frames)
		}
	}
}

// compareGDB requires the frames of every getppid to be gdb's.
func compareGDB(t *testing.T, samples []sample, want [][]uint64) {
	t.Helper()
	i, stops := 0, map[Stop]int{}
	for _, s := range samples {
		if s.nr != syscall.SYS_GETPPID {
			continue
		}
		stops[s.stop]++
		if i >= len(want) {
			break
		}
		w := want[i][:min(len(want[i]), MaxFrames)]
		if !slices.Equal(s.frames, w) {
			t.Errorf("call %d, stop %v: %d frames, gdb has %d:\n%x\n%x", i, s.stop, len(s.frames), len(w), s.frames, w)
		}
		i++
	}
	t.Logf("%d calls of getppid compared with gdb: %v", i, stops)
	if i != len(want) || i < 20 {
		t.Errorf("%d calls of getppid, gdb has seen %d", i, len(want))
	}
}

// compareModel requires the model to take the same way on the copied stacks.
func (k *kernel) compareModel(samples []sample) {
	t := k.t
	t.Helper()
	beyond := 0
	for i, s := range samples {
		k.walker.Read = func(addr uint64) (uint64, bool) {
			at := addr - s.base
			if at >= uint64(len(s.copied)) || uint64(len(s.copied))-at < 8 {
				return 0, false
			}
			return binary.LittleEndian.Uint64(s.copied[at:]), true
		}
		if base := SnapshotBase(s.start.SP); base != s.base {
			t.Errorf("sample %d: a copy from %#x on, want %#x", i, s.base, base)
		}
		got := k.walker.Walk(s.start, nil)
		if got.Stop == StopFault && len(got.Frames) < len(s.frames) {
			// The stack goes on beyond what was copied, or on another one.
			beyond++
			s.frames = s.frames[:len(got.Frames)]
			s.stop, s.guessed, s.stopped[0] = got.Stop, got.Guessed, got.Last.PC
		}
		if !slices.Equal(got.Frames, s.frames) || got.Stop != s.stop || got.Guessed != s.guessed || got.Last.PC != s.stopped[0] {
			t.Errorf("sample %d:\nkernel %v, %d guessed, %x\nmodel  %v, %d guessed, %x",
				i, s.stop, s.guessed, s.frames, got.Stop, got.Guessed, got.Frames)
		}
	}
	t.Logf("%d samples compared with the model, %d of them in part", len(samples), beyond)
	if len(samples)-beyond < 10 {
		t.Errorf("%d of %d stacks were not copied whole", beyond, len(samples))
	}
}

// startGDB attaches gdb to a process. What it returns waits for the end of the
// process and returns the frames of its calls of getppid.
func startGDB(t *testing.T, pid int) func() [][]uint64 {
	t.Helper()
	path, err := exec.LookPath("gdb")
	if err != nil {
		testutil.Need(t, "gdb")
	}
	dir := t.TempDir()
	frames, ready := filepath.Join(dir, "frames"), filepath.Join(dir, "ready")
	cmd := exec.Command(path, "-nx", "-q", "-batch", "-p", strconv.Itoa(pid), "-x", "testdata/frames.py")
	cmd.Env = append(os.Environ(), "FRAMES="+frames, "READY="+ready, "DEBUGINFOD_URLS=")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		if time.Since(start) > testutil.Patience {
			t.Fatalf("gdb does not get ready:\n%s", log.String())
		}
	}
	return func() [][]uint64 {
		select {
		case <-gone:
		case <-time.After(testutil.Patience):
			t.Fatal("gdb does not end")
		}
		f, err := os.Open(frames)
		must(t, err)
		defer f.Close()
		return readFrames(t, f)
	}
}

// readFrames reads a line of addresses for each stack.
func readFrames(t *testing.T, r io.Reader) (out [][]uint64) {
	t.Helper()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var frames []uint64
		for _, word := range strings.Fields(s.Text()) {
			pc, err := strconv.ParseUint(word, 16, 64)
			must(t, err)
			frames = append(frames, pc)
		}
		out = append(out, frames)
	}
	must(t, s.Err())
	return out
}
