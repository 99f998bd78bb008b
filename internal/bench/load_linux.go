package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A load is a run of pairs.c.
type load struct {
	depth, threads int
	opens          bool // it opens and closes a file instead
	rate           int  // pairs a second; 0: as many as there can be
	run            time.Duration
}

func (l load) String() string {
	if l.opens {
		return "open and close, " + plural(l.threads, "thread")
	}
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
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  *bufio.Scanner
	stderr *watched
}

// startLoad starts a load, under a tool if that starts programs itself.
func (b *bench) startLoad(l load, t tool) (*runner, error) {
	name := b.pairs
	if t.fp {
		name = b.pairsFP
	}
	pages := "4"
	if l.opens {
		pages = "0"
	}
	args := []string{name, fmt.Sprint(l.run.Seconds()), strconv.Itoa(l.depth), strconv.Itoa(l.threads), pages, strconv.Itoa(l.rate)}
	return b.start(t, args...)
}

// start starts a program that says "ready" and waits for "go".
func (b *bench) start(t tool, argv ...string) (*runner, error) {
	cmd, err := b.command(t, argv...)
	if err != nil {
		return nil, err
	}
	r := &runner{cmd: cmd, stderr: newWatched("")}
	r.cmd.Stderr = r.stderr
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
	for r.lines.Scan() { // a tool may speak first
		if r.lines.Text() == "ready" {
			return r, nil
		}
	}
	r.end()
	return nil, fmt.Errorf("starting the load: it said only %q", r.stderr.text())
}

// measure lets the load work and returns what it says.
func (r *runner) measure() (s speed, err error) {
	if _, err := io.WriteString(r.stdin, "go\n"); err != nil {
		return s, fmt.Errorf("starting the load: %w", err)
	}
	for r.lines.Scan() {
		f := strings.Fields(r.lines.Text() + " -")
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

// end lets the load exit, and what runs it.
func (r *runner) end() {
	r.stdin.Close()
	timer := time.AfterFunc(10*time.Second, func() { killTree(r.cmd.Process.Pid) }) // it may have ended
	defer timer.Stop()
	for r.lines.Scan() { // a tool may have the last word
	}
	_ = r.cmd.Wait() // its result is known
}
