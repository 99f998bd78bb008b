package testutil

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// walk steps through a fixture that stops at checkpoints, calling check at each,
// and returns the names of the steps and the other lines.
func walk(p *Proc, check func(step string)) (steps, other []string) {
	p.Send("go")
	for {
		line := p.ReadLine()
		if line == "done" {
			return steps, other
		}
		if step, ok := strings.CutPrefix(line, "step "); ok {
			steps = append(steps, step)
			check(step)
			p.Send("go")
			continue
		}
		other = append(other, line)
	}
}

func TestStepsComeAsPlanned(t *testing.T) {
	tests := []struct {
		src   string
		steps int // at least, with those whose call the kernel does not have
	}{
		{"sem.c", 140},
		{"sem32.c", 1},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			p := Start(t, Compile(t, tt.src, "-O2"))
			seen := make(map[string]bool)
			steps, other := walk(p, func(step string) {
				if seen[step] {
					t.Errorf("step %s comes twice", step)
				}
				seen[step] = true
				if readMaps(t, p.PID()) == "" {
					t.Errorf("no map at step %s", step)
				}
			})
			absent := 0
			for _, line := range other {
				if strings.HasPrefix(line, "unexpected ") {
					t.Error(line)
				}
				if strings.HasPrefix(line, "skip ") && strings.HasSuffix(line, " ENOSYS") {
					absent++
				}
			}
			if len(steps)+absent < tt.steps {
				t.Errorf("only %d steps, and %d calls that the kernel does not have: %q", len(steps), absent, steps)
			}
			t.Log(other)
			p.Close()
		})
	}
}

func TestSmallFixtures(t *testing.T) {
	page := uint64(os.Getpagesize())
	tests := []struct {
		src  string
		args []string
		want map[string]uint64 // in pages
	}{
		{"threads.c", []string{"500", "3"}, map[string]uint64{"thread_leak": 1500, "thread_free": 0}},
		{"storm.c", []string{"20"}, map[string]uint64{"storm_leak": 60}},
		{"many.c", []string{"1001"}, map[string]uint64{"many_even": 501, "many_odd": 500}},
		{"pairs.c", []string{"0.2", "10", "2"}, map[string]uint64{"pairs_leaf": 0}},
		{"hot.c", []string{"3"}, map[string]uint64{"hot_leaf": 0}},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			p := Start(t, Compile(t, tt.src, "-O2"), tt.args...)
			lines := p.Run()
			got := Truths(t, lines)
			for name, n := range tt.want {
				if got[name] != n*page {
					t.Errorf("%s: %d bytes, want %d", name, got[name], n*page)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("truths: %v", got)
			}
			t.Log(lines)
			p.Close()
		})
	}
}

func TestOddNamesArrive(t *testing.T) {
	p := Start(t, Compile(t, "names.c", "-O2"), t.TempDir())
	var comm string
	for _, line := range p.Run() {
		if s, ok := strings.CutPrefix(line, "comm "); ok {
			b, err := hex.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			comm = string(b)
		}
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if comm+"\n" != string(b) || !strings.Contains(comm, "\n") {
		t.Errorf("comm is %q, told %q", b, comm)
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID()))
	if err != nil || !strings.Contains(exe, "\n\033") {
		t.Errorf("program file %q, %v", exe, err)
	}
	p.Close()
}

func TestGoFixture(t *testing.T) {
	p := Start(t, GoBuild(t, Fixtures+"gofix"), "3", "5")
	got := Truths(t, p.Run())
	if n := uint64(15 * os.Getpagesize()); got["main.leakMapping"] != n || len(got) != 2 {
		t.Errorf("truths %v, want %d", got, n)
	}
	p.Close()
}

func TestCloseAfterExit(t *testing.T) {
	p := Start(t, Compile(t, "cases.c", "-O2"), "s01")
	p.Run()
	p.Send("exit")
	<-p.Exited()
	if line, ok := p.Next(); ok {
		t.Errorf("a line after the end: %q", line)
	}
	p.Close()
	p.Close()
}
