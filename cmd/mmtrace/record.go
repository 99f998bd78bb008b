package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newRecord(s streams, code *int) *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "record -o FILE.mmtrace (-p PID | --name NAME | -- COMMAND [ARG...])",
		Short: "Trace a window and keep all of it, to report on later",
		Example: `sudo mmtrace record -o x.mmtrace -p 1234
sudo mmtrace record -o x.mmtrace -d 5m --name redis-server
sudo mmtrace record -o x.mmtrace -- ./server --port 80
mmtrace report x.mmtrace`,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, command := splitAtDash(cmd, args)
			if err := o.checkTarget(args, command); err != nil {
				return err
			}
			o.openEnded(cmd)
			if err := o.finish(); err != nil {
				return err
			}
			if o.recording == "" || len(o.paths.words) > 1 {
				return &usageError{msg: "record wants one -o, with a name that ends in " + recordingExt,
					advice: []advice{{"try:", "-o x" + recordingExt}}}
			}
			o.outputs = nil
			exit, err := runJob(cmd.Context(), o, s, hooks{})
			*code = exit
			return err
		},
		ValidArgsFunction: completePIDs,
	}
	o.addTarget(cmd.Flags())
	g := grouped(cmd.Flags(), groupOutput)
	g.VarP(&o.paths, "output", "o", "the recording to write, FILE"+recordingExt)
	g.done()
	o.addMessages(cmd.Flags())
	g = grouped(cmd.Flags(), groupReport)
	o.addVerdict(g)
	g.done()
	completeFlags(cmd)
	return cmd
}

// notAVerb explains a word that is neither a verb nor a process id.
func notAVerb(word string) error {
	if verb := closest(word, verbs); verb != "" {
		return &usageError{msg: fmt.Sprintf("unknown command %q; did you mean %s?", word, verb)}
	}
	return &usageError{
		msg: fmt.Sprintf("%q is neither a command nor a process id", word),
		advice: []advice{
			{"try:", "mmtrace --name " + quoteWord(word) + " (a process of this name)"},
			{"or:", "mmtrace -- " + quoteWord(word) + " (run it and trace it)"},
		},
	}
}

// noTarget explains a command line that traces nothing.
func noTarget() error {
	return &usageError{
		msg: "nothing to trace: name a process or a command",
		advice: []advice{
			{"try:", "sudo mmtrace -p PID"},
			{"or:", "sudo mmtrace -- COMMAND [ARG...]"},
			{"or:", "sudo mmtrace demo"},
		},
	}
}
