package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/recording"
	"github.com/mmtrace/mmtrace/pkg/report"
)

func newReport(s streams, code *int) *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "report FILE.mmtrace",
		Short: "Make any report from a recording, on any machine",
		Long:  "Make any report from a recording, on any machine. FILE - is standard input.",
		Example: `mmtrace report x.mmtrace
mmtrace report x.mmtrace -T 0 --sort count
mmtrace report x.mmtrace -o x.folded -o x.json
mmtrace report x.mmtrace -F json | jq .totals`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{msg: fmt.Sprintf("report wants one recording, got %d", len(args)),
					advice: []advice{{"try:", "mmtrace report FILE.mmtrace"}}}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.finish(); err != nil {
				return err
			}
			if o.recording != "" {
				return &usageError{msg: fmt.Sprintf("-o %s: a report cannot be made into a recording", o.recording)}
			}
			if err := o.checkOutputs(); err != nil {
				return err
			}
			exit, err := reportFile(cmd.Context(), args[0], o, s)
			*code = exit
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"mmtrace"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.addReport(cmd.Flags())
	o.addOutput(cmd.Flags(), "write to FILE ("+orList(export.Extensions())+"); may be repeated")
	o.addMessages(cmd.Flags())
	completeFlags(cmd)
	return cmd
}

// reportFile reads the recording at path, "-" for standard input, writes o's
// outputs and returns the exit code.
func reportFile(_ context.Context, path string, o *options, s streams) (exit int, err error) {
	in := s.in
	name := "standard input"
	if path != stdoutPath {
		f, err := os.Open(path)
		if err != nil {
			return exitFailure, fmt.Errorf("reading %s: %w", path, bareCause(err))
		}
		defer f.Close()
		in, name = f, path
	}
	t, frames, facts, err := recording.Load(bufio.NewReaderSize(in, 1<<20))
	if t == nil {
		return exitFailure, fmt.Errorf("reading %s: %w", name, err)
	}
	if err != nil { // cut short: what is there is still worth a report
		fmt.Fprintf(s.err, "mmtrace: reading %s: %s\n", printable(name), printable(err.Error()))
		writeAdvice(s.err, []advice{{"note:", "the report is on what comes before that; without the end, files have names and functions have none"}})
		exit = exitFailure
	}
	facts.Tail = o.tail.Tail
	r := report.Build(t, frames, facts)
	o.suppress(r)
	o.noteUnused(r, func(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) })
	if err := o.writeReport(s, r); err != nil {
		return exitFailure, err
	}
	if exit == exitOK {
		exit = o.verdict(r, s.err)
	}
	return exit, nil
}
