package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/recording"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// reportTable times the report on a recording with many live mappings.
func (b *bench) reportTable() error {
	var rows [][]string
	for _, n := range []int{1000, 65_000, 1_000_000} {
		name := filepath.Join(b.dir, "x.mmtrace")
		if err := writeRecording(name, n); err != nil {
			return fmt.Errorf("writing a recording of %d mappings: %w", n, err)
		}
		var took sample
		var rss int64
		for range max(1, b.rounds/2) {
			cmd := exec.Command(b.mmtrace, "report", name, "-F", "json", "-T", "0")
			start := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("reporting on %d mappings: %w\n%s", n, err, out[:min(len(out), 1000)])
			}
			took = append(took, time.Since(start).Seconds()*1000)
			if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				rss = max(rss, ru.Maxrss<<10)
			}
		}
		fi, err := os.Stat(name)
		if err != nil {
			return err
		}
		rows = append(rows, []string{fmt.Sprint(n), mebibytes(fi.Size()), took.String(), mebibytes(rss)})
	}
	b.table("Time to report", "Milliseconds from a recording to a JSON report of all call paths; each of the mappings has been unmapped and mapped again once.",
		[]string{"live mappings", "recording", "report", "memory"}, rows)
	return nil
}

// writeRecording writes a trace that leaves n mappings of one page, of a
// thousand call paths.
func writeRecording(name string, n int) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<20)
	const page, paths = 4096, 1000
	host := report.Host{PageSize: page, Arch: "amd64", CPUs: 2, MaxMapCount: 65530}
	w := recording.NewWriter(buf, recording.Header{Host: host, OrderMode: "lock"})
	frames := make(stack.Table)
	for i := range paths {
		var fs []stack.Frame
		for d := range 10 {
			fs = append(fs, stack.Frame{Function: fmt.Sprintf("path_%d_%d", i, d), Module: "/bin/x"})
		}
		frames[stack.ID(i+1)] = fs
	}
	seq, t := uint64(0), event.Time(0)
	add := func(ev event.Event) error {
		seq++
		t += 1000
		ev.Space, ev.PID, ev.TID, ev.Seq, ev.Time = 1, 100, 100, seq, t
		return w.Event(&ev)
	}
	if err := w.Event(&event.Event{Kind: event.Process, Space: 1, PID: 100, Name: "x"}); err != nil {
		return err
	}
	if err := w.Event(&event.Event{Kind: event.Snapshot, Space: 1}); err != nil {
		return err
	}
	for _, kind := range []event.Kind{event.Mmap, event.Munmap, event.Mmap} {
		for i := range n {
			addr := uint64(0x7f0000000000) + uint64(i)*2*page
			ev := event.Event{Kind: kind, Args: [6]uint64{0, page, 3, 0x22, ^uint64(0)}, Ret: int64(addr), Stack: stack.ID(i%paths + 1)}
			if kind == event.Munmap {
				ev.Args, ev.Ret, ev.Stack = [6]uint64{addr, page}, 0, 0
			}
			if err := add(ev); err != nil {
				return err
			}
		}
	}
	facts := report.Facts{Host: host, End: t, Window: report.Window{Duration: t, StoppedBy: "duration"},
		Kernel: report.KernelFacts{Events: seq, OrderMode: "lock"}}
	if err := w.Finish(facts, frames); err != nil {
		return err
	}
	return buf.Flush()
}
