package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const (
	demoWindow     = 5 * time.Second
	demoTargetVerb = "demo-target"
)

var errDemo = errors.New("the report is not what the target did")

func newDemo(s streams, code *int) *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Trace a program that leaks, and check the report",
		Long: `Start a small program that leaks in known ways, trace it from outside as any
other process, show the report, and compare it with what the program did. It
takes five seconds, and leaves nothing behind.`,
		Example: `sudo mmtrace demo
sudo mmtrace demo -o demo.folded`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.duration = durationValue(demoWindow)
			if err := o.finish(); err != nil {
				return err
			}
			if err := errors.Join(o.checkOutputs(), checkPrivileges()); err != nil {
				return err
			}
			t, err := startDemoTarget(s)
			if err != nil {
				return err
			}
			defer t.stop()
			o.pids = pidsValue{t.pid}
			var got *report.Report
			exit, err := runJob(cmd.Context(), o, s, hooks{onAttach: t.begin, judge: func(r *report.Report) { got = r }})
			if err != nil || got == nil || got.Window.StoppedBy != "duration" { // cut short: nothing to compare
				*code = exit
				return err
			}
			return judgeDemo(s.err, got)
		},
	}
	o.addOutput(cmd.Flags(), "write to FILE ("+orList(knownExtensions())+"); - is stdout; may be repeated")
	o.addMessages(cmd.Flags())
	completeFlags(cmd)
	return cmd
}

// A demoTarget is the program that leaks. It ends when its standard input does.
type demoTarget struct {
	pid event.PID
	cmd *exec.Cmd
	in  io.WriteCloser
}

// startDemoTarget starts the program, up to where it waits for begin.
func startDemoTarget(s streams) (*demoTarget, error) {
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"mmtrace", demoTargetVerb}, Stderr: s.err.Writer, Env: os.Environ()}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the demo target: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the demo target: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the demo target: %w", err)
	}
	t := &demoTarget{event.PID(cmd.Process.Pid), cmd, in}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.stop()
		return nil, fmt.Errorf("waiting for the demo target: %w", err)
	}
	return t, nil
}

func (t *demoTarget) begin() error {
	_, err := io.WriteString(t.in, "\n")
	return err
}

func (t *demoTarget) stop() {
	t.in.Close()
	t.cmd.Wait()
}

// judgeDemo compares a report with what the target does, and says how it went.
func judgeDemo(w io.Writer, r *report.Report) error {
	found, wrong := 0, 0
	for _, c := range demoCases {
		bytes, count := heldBy(r, c.function)
		switch {
		case bytes != c.bytes || count != c.count:
			wrong++
			fmt.Fprintf(w, "demo: %s holds %d bytes in %d mappings; reported are %d in %d\n",
				c.function, c.bytes, c.count, bytes, count)
		case c.bytes > 0:
			found++
		}
	}
	planted := 0
	for _, c := range demoCases {
		if c.bytes > 0 {
			planted++
		}
	}
	fmt.Fprintf(w, "\ndemo: found %d of %d planted, %d wrong\n", found, planted, wrong)
	if wrong > 0 {
		return errDemo
	}
	fmt.Fprint(w, `next:
  sudo mmtrace -p PID                              your own process
  sudo mmtrace -p PID -d 5m -o x.folded            for longer, for a flame graph
  sudo mmtrace record -p PID -o x.mmtrace          keep all of it for later
  mmtrace doctor -p PID                            what to expect of a process
`)
	return nil
}

// heldBy sums what the paths through a function of the target hold.
func heldBy(r *report.Report, function string) (bytes, count uint64) {
	for i := range r.Paths {
		for _, f := range r.Paths[i].Frames {
			if strings.HasSuffix(f.Function, "."+function) {
				bytes += r.Paths[i].Bytes
				count += r.Paths[i].Count
				break
			}
		}
	}
	return bytes, count
}
