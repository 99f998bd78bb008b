package unwind

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestWalkGo compares the kernel side's stacks of a Go program with what the
// program itself knows of them.
func TestWalkGo(t *testing.T) {
	for _, c := range []struct {
		cgo   string
		flags []string
	}{
		{"0", nil},
		{"0", []string{"-ldflags=-s -w"}},
		{"0", []string{"-buildmode=pie", "-ldflags=-s -w"}},
		{"1", nil},
		{"1", []string{"-buildmode=pie", "-ldflags=-s -w"}},
	} {
		if (*prebuilt != "" || testing.Short()) && (c.cgo == "1" || c.flags != nil) {
			continue
		}
		t.Run("cgo="+c.cgo+" "+strings.Join(c.flags, " "), func(t *testing.T) {
			t.Setenv("CGO_ENABLED", c.cgo)
			exe := filepath.Join(*prebuilt, "gowalk", "gowalk")
			if *prebuilt == "" {
				exe = testutil.GoBuild(t, "./testdata/gowalk", c.flags...)
			}
			p := testutil.Start(t, exe)
			k := newKernel(t, p.PID())
			lines := p.Run()
			samples := k.read()
			k.compareModel(samples)
			compareGo(t, samples, readFrames(t, strings.NewReader(strings.ReplaceAll(strings.Join(lines, "\n"), "stack ", ""))))
		})
	}
}

// compareGo requires a sample for every stack in want, in this order. The
// kernel side's has more frames, those of the call.
func compareGo(t *testing.T, samples []sample, want [][]uint64) {
	t.Helper()
	i, stops := 0, map[Stop]int{}
	for _, s := range samples {
		if s.nr != syscall.SYS_GETPPID || i >= len(want) {
			continue
		}
		stops[s.stop]++
		extra := len(s.frames) - len(want[i])
		if extra < 2 || extra > 14 || s.stop != StopRoot || !slices.Equal(s.frames[extra:], want[i]) || s.guessed != 0 {
			t.Errorf("stack %d, stop %v, %d guessed: %x, want at the end %x", i, s.stop, s.guessed, s.frames, want[i])
		}
		i++
	}
	t.Logf("%d stacks compared with those of the program: %v", i, stops)
	if i != len(want) || i < 20 {
		t.Errorf("%d stacks, the program has seen %d", i, len(want))
	}
}
