package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// pairTable compares the tools on mmap and munmap in a tight loop.
func (b *bench) pairTable() error {
	loads := []load{{depth: 10, threads: 1}, {depth: 50, threads: 1}, {depth: 10, threads: 8}, {depth: 50, threads: 8}}
	if b.quick {
		loads = loads[:2]
	}
	head := []string{"tool"}
	rows := make([][]string, len(tools))
	for i, t := range tools {
		rows[i] = []string{t.name}
	}
	var own usage
	var total quality
	for i, l := range loads {
		l.run = b.run
		head = append(head, l.String())
		got, err := b.compare(l, i == 0, &own, &total)
		if err != nil {
			return err
		}
		for j, t := range tools {
			rows[j] = append(rows[j], got[t.name])
		}
	}
	b.table("mmap and munmap in a tight loop, times as slow as untraced",
		fmt.Sprintf("Median time of a pair against that of the untraced run of the same round; median, least and greatest of %d rounds, %v each. "+
			"%d CPUs. Untraced: nanoseconds a pair.", b.rounds, b.run, runtime.NumCPU()), head, rows)
	if total.Events > 0 {
		fmt.Fprintf(b.out, "mmtrace itself in these runs: %d events, %d lost; %.2f us of CPU an event with start and report, %s of memory at most.\n\n",
			total.Events, total.Lost+total.Missed, float64(own.cpu.Microseconds())/float64(total.Events), mebibytes(own.rss))
	}
	return nil
}

// compare measures a load with every tool in alternation. The slow ones take
// part once, and only with slow.
func (b *bench) compare(l load, slow bool, own *usage, total *quality) (map[string]string, error) {
	ratios := make(map[string]sample)
	missing := make(map[string]bool)
	for round := range b.rounds {
		var untraced speed
		for _, t := range tools {
			if missing[t.name] || t.slow && (!slow || round > 0) {
				continue
			}
			l.fp = t.fp
			s, u, err := b.watch(l, t)
			if errors.Is(err, errMissing) {
				missing[t.name] = true
				continue
			}
			if err != nil {
				return nil, err
			}
			if t.argv == nil {
				untraced = s
				ratios[t.name] = append(ratios[t.name], s.p50)
				continue
			}
			ratios[t.name] = append(ratios[t.name], s.p50/untraced.p50)
			if t.name != "mmtrace" {
				continue
			}
			q, err := b.quality()
			if err != nil {
				return nil, err
			}
			own.cpu += u.cpu
			own.rss = max(own.rss, u.rss)
			total.Events += q.Events
			total.Lost += q.Lost
			total.Missed += q.Missed
		}
	}
	out := make(map[string]string)
	for _, t := range tools {
		out[t.name] = ratios[t.name].String()
		if missing[t.name] {
			out[t.name] = "not installed"
		}
	}
	return out, nil
}

// watch runs a load under a tool.
func (b *bench) watch(l load, t tool) (speed, usage, error) {
	r, err := b.startLoad(l)
	if err != nil {
		return speed{}, usage{}, err
	}
	defer r.end()
	a, err := b.attach(t, r.cmd.Process.Pid)
	if err != nil {
		return speed{}, usage{}, err
	}
	s, err := r.measure()
	return s, a.detach(), err
}

// rateTable counts what is lost at given rates.
func (b *bench) rateTable() error {
	rates := []int{10_000, 100_000, 300_000, 1_000_000}
	var rows [][]string
	for _, rate := range rates {
		l := load{depth: 10, threads: 2, rate: rate / 2, run: 4 * b.run}
		s, u, err := b.watch(l, toolNamed("mmtrace"))
		if err != nil {
			return err
		}
		q, err := b.quality()
		if err != nil {
			return err
		}
		rows = append(rows, []string{
			fmt.Sprint(rate), number(2 * s.rate), fmt.Sprint(q.Events), fmt.Sprint(q.Lost + q.Missed), fmt.Sprint(q.Verified),
			fmt.Sprintf("%.2f", u.cpu.Seconds()/l.run.Seconds()), mebibytes(u.rss),
		})
	}
	b.table("Events lost", "Two threads; the second column is what they reached under trace.",
		[]string{"wanted events/s", "reached", "events", "lost", "map verified", "mmtrace's CPUs", "its memory"}, rows)
	return nil
}

// attachTable times the beginning and the end of a trace.
func (b *bench) attachTable() error {
	var attach, detach sample
	for range b.rounds {
		l := load{depth: 10, threads: 1, run: b.run / 4}
		r, err := b.startLoad(l)
		if err != nil {
			return err
		}
		a, err := b.attach(toolNamed("mmtrace"), r.cmd.Process.Pid)
		if err != nil {
			r.end()
			return err
		}
		_, err = r.measure()
		u := a.detach()
		r.end()
		if err != nil {
			return err
		}
		attach = append(attach, a.took.Seconds()*1000)
		detach = append(detach, u.detach.Seconds()*1000)
	}
	_ = os.Remove(b.report()) // the next one overwrites it
	b.table("Beginning and end", "Milliseconds from the program's start until it traces, and from Ctrl-C to its exit with a report.",
		[]string{"target", "attach", "detach"}, [][]string{{"pairs", attach.String(), detach.String()}})
	return nil
}
