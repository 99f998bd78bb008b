package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A load is a run of pairs.c.
type load struct {
	depth, threads int
	rate           int  // pairs a second; 0: as many as there can be
	fp             bool // built with frame pointers
	run            time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%d frames, %s", l.depth, plural(l.threads, "thread"))
}

// A speed is what a load measured of itself.
type speed struct {
	p50, p99 float64 // ns a pair
	pairs    uint64
	rate     float64 // pairs a second
}

// A runner is a load that waits for its start.
type runner struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func (b *bench) startLoad(l load) (*runner, error) {
	name := b.pairs
	if l.fp {
		name = b.pairsFP
	}
	args := []string{fmt.Sprint(l.run.Seconds()), strconv.Itoa(l.depth), strconv.Itoa(l.threads), "4", strconv.Itoa(l.rate)}
	r := &runner{cmd: exec.Command(name, args...)}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the load: %w", err)
	}
	r.lines = bufio.NewScanner(out)
	if !r.lines.Scan() || r.lines.Text() != "ready" {
		r.end()
		return nil, fmt.Errorf("starting the load: it said %q", r.lines.Text())
	}
	return r, nil
}

// measure lets the load work and returns what it says.
func (r *runner) measure() (s speed, err error) {
	if _, err := io.WriteString(r.stdin, "go\n"); err != nil {
		return s, fmt.Errorf("starting the load: %w", err)
	}
	for r.lines.Scan() {
		f := strings.Fields(r.lines.Text())
		switch f[0] {
		case "pairs":
			s.pairs, err = strconv.ParseUint(f[1], 10, 64)
		case "rate":
			s.rate, err = strconv.ParseFloat(f[1], 64)
		case "ns":
			if s.p50, err = strconv.ParseFloat(f[2], 64); err == nil {
				s.p99, err = strconv.ParseFloat(f[6], 64)
			}
		case "done":
			return s, nil
		}
		if err != nil {
			return s, fmt.Errorf("reading %q: %w", r.lines.Text(), err)
		}
	}
	return s, fmt.Errorf("reading the load's result: %w", io.ErrUnexpectedEOF)
}

// end lets the load exit.
func (r *runner) end() {
	r.stdin.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = r.cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	_ = r.cmd.Wait() // its result is known
}
