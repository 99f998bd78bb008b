package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// The process of stallTable.
const stallMappings, stallMiB = "60000", "2048"

// stallTable measures how long a process with a large map waits for its own calls
// while mmtrace looks up what of it is in memory, and while smaps is read.
func (b *bench) stallTable() error {
	names := []string{"it is traced", "it is traced, and smaps is read", "mmtrace looks up what is in memory, detaches and reports", "it is not traced"}
	worst, took := make([]sample, len(names)), make([]sample, len(names))
	for range max(1, b.rounds/2) {
		if err := b.stallRound(worst, took); err != nil {
			return err
		}
	}
	var rows [][]string
	for i, name := range names {
		rows = append(rows, []string{name, worst[i].String(), took[i].String()})
	}
	b.table("The slowest mmap and munmap of a process", "Milliseconds, of "+stallMappings+" mappings and "+stallMiB+" MiB in memory, all traced from the first.",
		[]string{"while", "slowest pair", "that took"}, rows)
	return nil
}

// stallRound adds a number to each sample, in the order of stallTable's names.
func (b *bench) stallRound(worst, took []sample) error {
	r, err := b.start(toolNamed("untraced"), b.stall, stallMappings, stallMiB)
	if err != nil {
		return err
	}
	defer r.end()
	pid := r.cmd.Process.Pid
	a, err := b.attach(toolNamed("mmtrace"), pid)
	if err != nil {
		return err
	}
	defer os.Remove(b.report())
	if _, err := r.measure(); err != nil {
		return err
	}
	nothing := func() error { time.Sleep(300 * time.Millisecond); return nil }
	for i, work := range []func() error{
		nothing,
		func() error { return readSmaps(pid) },
		func() error { a.detach(); return nil },
		nothing,
	} {
		w, d, err := r.stalled(work)
		if err != nil {
			return err
		}
		worst[i], took[i] = append(worst[i], w), append(took[i], d)
	}
	return nil
}

// readSmaps keeps nothing of it: a child's greatest memory begins with its parent's.
func readSmaps(pid int) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// stalled returns the milliseconds of the slowest pair while work is done, and those
// of work.
func (r *runner) stalled(work func() error) (worst, took float64, err error) {
	if _, err := io.WriteString(r.stdin, "reset\n"); err != nil {
		return 0, 0, err
	}
	if !r.lines.Scan() { // it says that it begins anew
		return 0, 0, io.ErrUnexpectedEOF
	}
	start := time.Now()
	if err := work(); err != nil {
		return 0, 0, err
	}
	took = time.Since(start).Seconds() * 1000
	if _, err := io.WriteString(r.stdin, "worst\n"); err != nil {
		return 0, 0, err
	}
	var ns, mean, pairs uint64
	if !r.lines.Scan() {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if _, err := fmt.Sscanf(r.lines.Text(), "ns worst %d mean %d pairs %d", &ns, &mean, &pairs); err != nil {
		return 0, 0, fmt.Errorf("reading %q: %w", r.lines.Text(), err)
	}
	return float64(ns) / 1e6, took, nil
}
