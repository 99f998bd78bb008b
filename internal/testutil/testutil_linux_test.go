package testutil

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// builds are the ways in which every fixture that plants truths must hold.
var builds = map[string][]string{
	"debug":     {"-O0"},
	"optimised": {"-O2", "-fomit-frame-pointer"},
	"static":    {"-O2", "-static"},
	"raw":       {"-O2", "-DRAW"},
	"musl":      {"CC=musl-gcc", "-O2", "-static"},
}

func TestCasesTellTheirTruth(t *testing.T) {
	var want []string
	for name, flags := range builds {
		t.Run(name, func(t *testing.T) {
			p := Start(t, Compile(t, "cases.c", flags...), "all")
			lines := p.Run()
			if n := len(Truths(t, lines)); n != 19 {
				t.Errorf("%d truths, want 19: %q", n, lines)
			}
			slices.Sort(lines)
			if want == nil {
				want = lines
			}
			if !slices.Equal(lines, want) {
				t.Errorf("truths differ between builds:\n%q\n%q", lines, want)
			}
			p.Close()
		})
	}
}

func TestCasesRunsWhatItIsAskedFor(t *testing.T) {
	p := Start(t, Compile(t, "cases.c", "-O2"), "s06", "s02_munmap_tail")
	lines := p.Run()
	page := uint64(os.Getpagesize())
	truths := Truths(t, lines)
	if len(truths) != 2 || truths["s02_munmap_tail"] != 19*page || truths["s06_munmap_unaligned"] != 37*page {
		t.Errorf("truths: %v", truths)
	}
	want := []Failure{{"s06_munmap_unaligned", "munmap", "EINVAL", 1}}
	if got := Failures(t, lines); !slices.Equal(got, want) {
		t.Errorf("failures: got %v, want %v", got, want)
	}
	p.Close()
}

func TestCompileCaches(t *testing.T) {
	a := Compile(t, "cases.c", "-O1")
	fi, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	if b := Compile(t, "cases.c", "-O1"); b != a {
		t.Errorf("the same build went to %s and %s", a, b)
	}
	if fi2, err := os.Stat(a); err != nil || fi2.ModTime() != fi.ModTime() {
		t.Errorf("built twice: %v", err)
	}
	if b := Compile(t, "cases.c", "-O1", "-DRAW"); b == a {
		t.Errorf("different builds share %s", a)
	}
}

func TestChaosComesToRest(t *testing.T) {
	p := Start(t, Compile(t, "chaos.c", "-O2"), "1", "4", "2", "7")
	lines := p.Run()
	pids := []int{p.PID()}
	for _, line := range lines {
		var pid int
		if _, err := fmt.Sscanf(line, "child %d", &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) != 3 {
		t.Fatalf("want two children: %q", lines)
	}
	for _, pid := range pids {
		first, second := readMaps(t, pid), readMaps(t, pid)
		if first != second {
			t.Errorf("the map of process %d changes after done", pid)
		}
		if n := strings.Count(first, "\n"); n < 50 || n > 20000 {
			t.Errorf("process %d has %d mappings", pid, n)
		}
	}
	p.Close()
	for _, pid := range pids {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
}

func readMaps(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
