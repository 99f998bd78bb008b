package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/internal/session"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const (
	demoWindow = 5 * time.Second
	// demoTargetVerb is not among the commands: main itself looks for it, so that
	// call paths in the target are short.
	demoTargetVerb = "demo-target"
	demoName       = "mmtrace-demo"
)

var (
	errDemo = errors.New("the report is not what the target did")
	errSlow = errors.New("the demo target did not get done in the window: the machine is very busy; try again")
)

func newDemo(s streams, code *int) *cobra.Command {
	o := newOptions()
	broken := choiceValue{"", demoBreaks, "PART"}
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
			o.noNext = true // the target is gone by then
			got, exit, err := traceDemo(cmd.Context(), o, s, broken.word)
			*code = exit
			switch {
			case err != nil || got == nil || got.Window.StoppedBy == string(session.Stopped):
				return err // cut short: nothing to compare
			case got.Window.StoppedBy != string(session.Elapsed):
				return fmt.Errorf("tracing the demo target: it %s", cmp.Or(got.Targets[0].Ended, "ended"))
			}
			if err := judgeDemo(o.verdictStream(s), got); err != nil {
				return err
			}
			if !o.quiet {
				io.WriteString(s.err, demoNext)
			}
			return nil
		},
	}
	o.addOutput(cmd.Flags(), "write to FILE ("+orList(knownExtensions())+"); - is stdout; may be repeated")
	o.addMessages(cmd.Flags())
	cmd.Flags().Var(&broken, "break", "let the target differ from the plan in a part")
	cmd.Flags().Lookup("break").Hidden = true
	completeFlags(cmd)
	return cmd
}

const demoNext = `next:
  sudo mmtrace -p PID                              your own process
  sudo mmtrace -p PID -d 5m -o x.folded            for longer, for a flame graph
  sudo mmtrace record -p PID -o x.mmtrace          keep all of it for later
  mmtrace doctor -p PID                            what to expect of a process
`

// verdictStream returns where the comparison goes: under the report, unless
// that is for a program.
func (o *options) verdictStream(s streams) io.Writer {
	for _, out := range o.outputs {
		if out.path == stdoutPath && out.format != export.FormatText {
			return s.err
		}
	}
	return s.out
}

// traceDemo traces a target that it starts and ends.
func traceDemo(ctx context.Context, o *options, s streams, broken string) (got *report.Report, exit int, err error) {
	t, err := startDemoTarget(s, broken)
	if err != nil {
		return nil, exitFailure, err
	}
	defer t.stop()
	o.pids = pidsValue{t.pid}
	exit, err = runJob(ctx, o, s, hooks{onAttach: t.begin, judge: func(r *report.Report) { got = r }})
	if err == nil && got != nil && got.Window.StoppedBy == string(session.Elapsed) && !t.done.Load() {
		err = errSlow
	}
	return got, exit, err
}

// A demoProcess is the program that leaks. It ends when its standard input does.
type demoProcess struct {
	pid  event.PID
	cmd  *exec.Cmd
	in   io.WriteCloser
	done atomic.Bool // it holds still
}

// startDemoTarget starts the program, up to where it waits for begin.
func startDemoTarget(s streams, broken string) (*demoProcess, error) {
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"mmtrace", demoTargetVerb}, Stderr: s.err.Writer, Env: os.Environ()}
	if broken != "" {
		cmd.Args = append(cmd.Args, broken)
	}
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
	t := &demoProcess{pid: event.PID(cmd.Process.Pid), cmd: cmd, in: in}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.stop()
		return nil, fmt.Errorf("waiting for the demo target: %w", err)
	}
	go func() {
		_, err := lines.ReadString('\n')
		t.done.Store(err == nil)
	}()
	return t, nil
}

func (t *demoProcess) begin() error {
	_, err := io.WriteString(t.in, "\n")
	return err
}

func (t *demoProcess) stop() {
	t.in.Close()
	if !t.done.Load() {
		t.cmd.Process.Kill() // it would work on for a while
	}
	t.cmd.Wait()
}
