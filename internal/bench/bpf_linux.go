package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// programs returns the IDs of the BPF programs that the machine has.
func programs() (map[ebpf.ProgramID]bool, error) {
	ids := make(map[ebpf.ProgramID]bool)
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return ids, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing BPF programs: %w", err)
		}
		id = next
		ids[id] = true
	}
}

// runTime returns the nanoseconds that the programs which are not among before
// have run.
func runTime(before map[ebpf.ProgramID]bool) (ns float64, err error) {
	ids, err := programs()
	if err != nil {
		return 0, err
	}
	for id := range ids {
		if before[id] {
			continue
		}
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // it has gone
		}
		st, err := p.Stats()
		p.Close()
		if err != nil {
			return 0, fmt.Errorf("reading a BPF program's statistics: %w", err)
		}
		ns += float64(st.Runtime.Nanoseconds())
	}
	return ns, nil
}

// depthTable measures the time of the BPF programs at several depths, beside
// those that use the kernel's walk by frame pointers.
func (b *bench) depthTable() error {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return fmt.Errorf("switching BPF statistics on: %w", err)
	}
	defer stats.Close()
	watchers := []tool{toolNamed("mmtrace"), toolNamed("bpftrace, ustack (frame pointers)")}
	depths := []int{10, 20, 50, 100}
	if b.quick {
		depths = []int{10, 50}
	}
	rows := make([][]string, len(watchers))
	for i, t := range watchers {
		rows[i] = []string{t.name}
		for _, depth := range depths {
			var got sample
			for range b.rounds {
				ns, err := b.perEvent(t, load{depth: depth, threads: 1, run: b.run / 2})
				if errors.Is(err, errMissing) {
					break
				}
				if err != nil {
					return err
				}
				got = append(got, ns)
			}
			rows[i] = append(rows[i], got.String())
		}
	}
	head := []string{"tool"}
	for _, d := range depths {
		head = append(head, fmt.Sprintf("%d frames", d))
	}
	b.table("BPF time", "Nanoseconds of all BPF programs for each of the two calls of a pair, with what other processes' calls cost in that time.", head, rows)
	return nil
}

// perEvent returns the nanoseconds of a tool's programs for a call of the load.
func (b *bench) perEvent(t tool, l load) (float64, error) {
	r, err := b.startLoad(l, t)
	if err != nil {
		return 0, err
	}
	defer r.end()
	before, err := programs()
	if err != nil {
		return 0, err
	}
	a, err := b.attach(t, r.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	defer a.detach()
	start, err := runTime(before)
	if err != nil {
		return 0, err
	}
	s, err := r.measure()
	if err != nil {
		return 0, err
	}
	end, err := runTime(before)
	return (end - start) / float64(2*s.pairs), err
}
