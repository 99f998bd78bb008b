package session

import (
	"maps"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// TestGoCases attaches to a Go program in all builds.
func TestGoCases(t *testing.T) {
	tests := []struct {
		name, cgo string
		flags     []string
	}{
		{"plain", "1", nil},
		{"stripped", "1", []string{"-ldflags=-s -w"}},
		{"pie", "1", []string{"-buildmode=pie"}},
		{"pie-stripped", "0", []string{"-buildmode=pie", "-ldflags=-s -w"}},
		{"static", "0", []string{"-tags=netgo,osusergo"}},
		{"unoptimised", "0", []string{"-gcflags=all=-N -l"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CGO_ENABLED", tt.cgo)
			p := testutil.Start(t, testutil.GoBuild(t, testutil.Fixtures+"gofix", tt.flags...), "101", "17")
			s := start(t, p.PID(), Config{})
			var lines []string
			runUntil(t, s, func() { lines = p.Run() })
			checkOracle(t, s)
			checkExact(t, s)
			checkCounted(t, s)
			got := make(map[string]uint64)
			for _, path := range finalReport(s).Paths {
				name := goCaller(path.Frames)
				if name == "" && inRuntime(path.Frames) {
					continue // the heap's own growth, which is no part of the truth
				}
				got[name] += path.Bytes
			}
			want := testutil.Truths(t, lines)
			maps.DeleteFunc(want, func(_ string, n uint64) bool { return n == 0 })
			if !maps.Equal(got, want) || len(want) != 1 {
				t.Errorf("outstanding by caller: got %v, want %v", got, want)
			}
			p.Close()
		})
	}
}

// goCaller returns the function of package main that asked for a mapping by way
// of package syscall.
func goCaller(frames []stack.Frame) string {
	for _, f := range frames {
		switch {
		case strings.HasPrefix(f.Function, "main."):
			return f.Function
		case !strings.Contains(f.Function, "syscall"):
			return ""
		}
	}
	return ""
}

// inRuntime reports whether a path is one of the Go runtime's own.
func inRuntime(frames []stack.Frame) bool {
	return len(frames) > 0 && strings.HasPrefix(frames[0].Function, "runtime.")
}
