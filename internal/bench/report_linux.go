package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
		if b.quick && n > 65_000 {
			break
		}
		name := filepath.Join(b.dir, "x.mmtrace")
		if err := writeRecording(name, n); err != nil {
			return fmt.Errorf("writing a recording of %d mappings: %w", n, err)
		}
		fi, err := os.Stat(name)
		if err != nil {
			return err
		}
		row := []string{fmt.Sprint(n), mebibytes(fi.Size())}
		for _, format := range []string{"text", "json"} {
			took, rss, err := b.timeReport(name, format)
			if err != nil {
				return fmt.Errorf("reporting on %d mappings: %w", n, err)
			}
			row = append(row, took.String(), mebibytes(rss))
		}
		rows = append(rows, row)
	}
	b.table("Time to report", "Milliseconds from a recording to a report; each of the mappings has been unmapped and mapped again once. JSON lists them all, up to a thousand for each of the thousand paths.",
		[]string{"live mappings", "recording", "text", "memory", "JSON", "memory"}, rows)
	return nil
}

// timeReport makes a report of the recording at name, and returns the milliseconds that
// each took and the most memory in bytes.
func (b *bench) timeReport(name, format string) (took sample, rss int64, err error) {
	for range max(1, b.rounds/2) {
		var stderr strings.Builder
		cmd := exec.Command(b.mmtrace, "report", name, "-F", format)
		cmd.Stderr = &stderr
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return nil, 0, fmt.Errorf("%w\n%s", err, &stderr)
		}
		took = append(took, time.Since(start).Seconds()*1000)
		if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			rss = max(rss, ru.Maxrss<<10)
		}
	}
	return took, rss, nil
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
			fs = append(fs, stack.Frame{Function: fmt.Sprintf("path_%d_%d", i, d), Module: "/bin/x", Offset: uint64(i*100 + d)})
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
