package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// A job is one window to trace: all that trace needs and may assume. Its
// outputs were checked, its targets are open and the rights are there.
type job struct {
	*options
	streams
	targets  []*procfs.Process
	progress *progress

	// stop is closed when the window is to end early, with a report. When the
	// context is done instead, all is to be dropped.
	stop <-chan struct{}
	// interim gets a value when a report is to be made in between.
	interim <-chan struct{}
	// command is the command that was started for this, nil if none was. It stands
	// before its first instruction until release.
	command *command
	told    bool   // that the recording fails
	fired   string // what of --when held, and how
	hooks
}

// hooks are what a verb that traces wants to know on the way. Any may be nil.
type hooks struct {
	onAttach func() error
	// judge gets the final report before it is written.
	judge func(*report.Report)
}

// attached is to be called once no call of a target can be missed any more. It
// lets a command go. Its error ends the window: the command could not be run.
func (j *job) attached() error {
	if j.onAttach != nil {
		return j.onAttach()
	}
	if j.command != nil {
		return j.command.release()
	}
	return nil
}

// runJob traces one window: it opens what o asks for, traces, and returns the
// exit code.
func runJob(ctx context.Context, o *options, s streams, h hooks) (int, error) {
	path, err := o.lookCommand()
	if err != nil {
		return exitFailure, err
	}
	if err := o.checkOutputs(); err != nil {
		return exitFailure, err
	}
	targets, err := o.openTargets()
	if err != nil {
		return exitFailure, err
	}
	defer closeAll(targets)

	ctx, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	in := newInterrupter(quit)
	j := &job{options: o, streams: s, targets: targets, progress: newProgress(s.err, o),
		stop: in.stop, interim: in.interim, hooks: h}
	if len(o.command) > 0 {
		if j.command, err = startCommand(path, o, s); err != nil {
			return exitFailure, err
		}
		defer j.command.abandon()
		j.targets = append(j.targets, j.command.proc)
		in.pass = func(sig os.Signal) {
			j.command.pass(sig, func() {
				if !o.quiet {
					fmt.Fprintf(s.err, "\nmmtrace: %s goes on; once more ends the trace without a report\n", oneLine(j.command.name))
				}
			})
		}
	}
	defer in.listen()()
	return j.run(ctx)
}

// finished hands the final report to whom it concerns and writes it.
func (j *job) finished(r *report.Report) error {
	if j.judge != nil {
		j.judge(r)
	}
	return j.writeReport(j.streams, r)
}

// run traces and, in command mode, waits for the command. It returns at once
// when ctx is done, whatever trace is busy with: the process ends then.
func (j *job) run(ctx context.Context) (int, error) {
	type result struct {
		code int
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var code int
		fired, err := j.arm(ctx)
		if fired && err == nil {
			code, err = trace(ctx, j)
		}
		if j.command != nil {
			if err != nil && j.command.runs() {
				j.progress.note("mmtrace: %v\nwaiting for %s to end", err, oneLine(j.command.name))
			}
			if status := j.command.wait(); err == nil && code != exitFailOn {
				code = status
			}
		}
		done <- result{code, err}
	}()
	select {
	case r := <-done:
		return r.code, r.err
	case <-ctx.Done():
		if j.err.tty && !j.quiet { // behind the progress line
			fmt.Fprintln(j.err)
		}
		return exitInterrupted, context.Cause(ctx)
	}
}

// exitStatus returns what sh(1) makes of a process's end: its own code, or
// 128+n if signal n ended it.
func exitStatus(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
