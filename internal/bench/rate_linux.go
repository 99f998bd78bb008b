package main

import (
	"fmt"
	"runtime"
	"sync"
)

// rateTable counts what is lost at given rates. Threads of one process wait for each
// other's lock, so the load is as many processes as there are CPUs.
func (b *bench) rateTable() error {
	n := max(2, runtime.NumCPU())
	var rows [][]string
	for _, rate := range []int{10_000, 100_000, 300_000, 1_000_000} {
		l := load{depth: 10, threads: 1, rate: rate / 2 / n, run: 4 * b.run}
		reached, u, err := b.watchMany(l, n)
		if err != nil {
			return err
		}
		q, err := b.quality()
		if err != nil {
			return err
		}
		rows = append(rows, []string{
			fmt.Sprint(rate), number(reached), fmt.Sprint(q.Events), fmt.Sprint(q.Lost + q.Missed), fmt.Sprint(q.Verified),
			fmt.Sprintf("%.2f", u.cpu.Seconds()/l.run.Seconds()), mebibytes(u.rss),
		})
	}
	b.table("Events lost", fmt.Sprintf("%d processes for %v; the second column is what they reached under trace.", n, 4*b.run),
		[]string{"wanted events/s", "reached", "events", "lost", "map verified", "mmtrace's CPUs", "its memory"}, rows)
	return nil
}

// watchMany runs n of a load at once under mmtrace. It returns the events that they
// made together, a second.
func (b *bench) watchMany(l load, n int) (rate float64, u usage, err error) {
	t := toolNamed("mmtrace")
	var rs []*runner
	var pids []int
	for range n {
		r, err := b.startLoad(l, t)
		if err != nil {
			return 0, u, err
		}
		defer r.end()
		rs = append(rs, r)
		pids = append(pids, r.cmd.Process.Pid)
	}
	a, err := b.attach(t, pids...)
	if err != nil {
		return 0, u, err
	}
	speeds, errs := make([]speed, n), make([]error, n)
	var wg sync.WaitGroup
	for i, r := range rs {
		wg.Go(func() { speeds[i], errs[i] = r.measure() })
	}
	wg.Wait()
	u = a.detach()
	for i := range speeds {
		rate += 2 * speeds[i].rate
		if err == nil {
			err = errs[i]
		}
	}
	return rate, u, err
}
