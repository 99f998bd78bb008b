package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// A tally is what the runs of a table tell besides their speed.
type tally struct {
	own  usage   // of mmtrace
	seen quality // by it
	heap uint64  // calls that heaptrack recorded
	of   uint64  // pairs while it did
}

// pairTable compares the tools on mmap and munmap in a tight loop, and on calls that
// do not concern them.
func (b *bench) pairTable() error {
	loads := []load{{depth: 10, threads: 1}, {depth: 50, threads: 1}, {depth: 10, threads: 8}, {depth: 50, threads: 8},
		{depth: 10, threads: 1, opens: true}}
	if b.quick {
		loads = loads[:2]
	}
	head := []string{"tool"}
	rows := make([][]string, len(tools))
	for i, t := range tools {
		rows[i] = []string{t.name}
	}
	var sum tally
	for i, l := range loads {
		l.run = b.run
		head = append(head, l.String())
		got, err := b.compare(l, i == 0, &sum)
		if err != nil {
			return err
		}
		for j, t := range tools {
			rows[j] = append(rows[j], got[t.name])
		}
	}
	b.table("mmap and munmap in a tight loop, times as slow as untraced",
		fmt.Sprintf("Median time of a pair against that of the untraced run of the same round; median, least and greatest of %d rounds, %v each. "+
			"%d CPUs. Untraced: nanoseconds a pair. What is slow took part once.", b.rounds, b.run, runtime.NumCPU()), head, rows)
	if n := sum.seen.Events; n > 0 {
		fmt.Fprintf(b.out, "mmtrace itself in these runs: %d events, %d lost; %.2f us of CPU an event with start and report, %s of memory at most.\n\n",
			n, sum.seen.Lost+sum.seen.Missed, float64(sum.own.cpu.Microseconds())/float64(n), mebibytes(sum.own.rss))
	}
	if sum.of > 0 {
		fmt.Fprintf(b.out, "heaptrack recorded %d calls while there were %d pairs: it follows malloc, not mmap.\n\n", sum.heap, sum.of)
	}
	return nil
}

// compare measures a load with every tool in alternation. The slow ones take
// part once, and only with slow.
func (b *bench) compare(l load, slow bool, sum *tally) (map[string]string, error) {
	ratios := make(map[string]sample)
	missing := make(map[string]bool)
	for round := range b.rounds {
		var untraced speed
		for _, t := range tools {
			if missing[t.name] || t.slow && (!slow || round > 0) {
				continue
			}
			s, u, err := b.watch(l, t)
			if errors.Is(err, errMissing) {
				missing[t.name] = true
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("with %s: %w", t.name, err)
			}
			if !t.watches() {
				untraced = s
				ratios[t.name] = append(ratios[t.name], s.p50)
				continue
			}
			ratios[t.name] = append(ratios[t.name], s.p50/untraced.p50)
			if err := b.count(t, s, u, sum); err != nil {
				return nil, err
			}
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

// count adds what a run under a tool tells of the tool.
func (b *bench) count(t tool, s speed, u usage, sum *tally) error {
	switch t.name {
	case "mmtrace":
		q, err := b.quality()
		if err != nil {
			return err
		}
		sum.own.cpu += u.cpu
		sum.own.rss = max(sum.own.rss, u.rss)
		sum.seen.Events += q.Events
		sum.seen.Lost += q.Lost
		sum.seen.Missed += q.Missed
	case "heaptrack":
		_, rest, _ := strings.Cut(u.said, "allocations:")
		var n uint64
		if _, err := fmt.Sscan(rest, &n); err != nil {
			return fmt.Errorf("reading heaptrack's statistics: %w: %q", err, u.said)
		}
		sum.heap += n
		sum.of += s.pairs
	}
	return nil
}

// watch runs a load under a tool.
func (b *bench) watch(l load, t tool) (speed, usage, error) {
	r, err := b.startLoad(l, t)
	if err != nil {
		return speed{}, usage{}, err
	}
	a, err := b.attach(t, r.cmd.Process.Pid)
	if err != nil {
		r.end()
		return speed{}, usage{}, err
	}
	s, err := r.measure()
	u := a.detach()
	r.end()
	u.said = r.stderr.text()
	return s, u, err
}

// attachTable times the beginning and the end of a trace.
func (b *bench) attachTable() error {
	var attach, detach sample
	for range b.rounds {
		l := load{depth: 10, threads: 1, run: b.run / 4}
		r, err := b.startLoad(l, toolNamed("mmtrace"))
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
