package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// othersTable measures what a trace costs processes that are not traced.
func (b *bench) othersTable() error {
	var rows [][]string
	for _, t := range tools {
		if !t.watches() || b.quick && t.ready == "" {
			continue
		}
		var ratios, before sample
		for range b.rounds {
			was, is, err := b.others(t)
			if errors.Is(err, errMissing) {
				break
			}
			if err != nil {
				return err
			}
			before = append(before, was)
			ratios = append(ratios, is/was)
		}
		rows = append(rows, []string{t.name, before.String(), ratios.String()})
	}
	b.table("Another process's getppid", "Nanoseconds before, and times as slow while the tool watches a process at rest.",
		[]string{"tool", "before", "watched"}, rows)
	return nil
}

// others returns the nanoseconds of a call of this process before a tool watches a
// load, which stays at rest, and while it does.
func (b *bench) others(t tool) (was, is float64, err error) {
	was = getppid()
	r, err := b.startLoad(load{depth: 10, threads: 1, run: b.run}, t)
	if err != nil {
		return 0, 0, err
	}
	defer r.end()
	a, err := b.attach(t, r.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	defer a.detach()
	return was, getppid(), nil
}

// getppid returns the nanoseconds of one call, the best of many.
func getppid() float64 {
	const calls = 2000
	best := 1e18
	for range 100 {
		start := monotonic()
		for range calls {
			_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) // it cannot fail
		}
		best = min(best, float64(monotonic()-start)/calls)
	}
	return best
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // the clock is always there
	}
	return ts.Nano()
}
