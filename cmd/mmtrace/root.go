package main

import (
	"github.com/spf13/cobra"
)

// verbs are the verbs that are not hidden, in the order in which help shows them.
var verbs = []string{"record", "report", "shm", "demo", "doctor", "schema", "completion", "version", "help"}

// newRoot returns the command tree, and where the exit code of a run without
// error will be.
func newRoot(args []string, s streams) (root *cobra.Command, code *int) {
	code = new(int)
	o := newOptions()
	root = &cobra.Command{
		Use:   "mmtrace [flags] (-p PID | --name NAME | -- COMMAND [ARG...])",
		Short: "Find what maps memory and never unmaps it",
		Long: `mmtrace attaches to a running process for 30 seconds, follows every call that
changes its address space (mmap, munmap, mremap, brk, ...), and reports which
call paths map memory and never unmap it. The process needs no restart and no
change. It takes root, or the capabilities that "mmtrace doctor" names.`,
		Example: `sudo mmtrace -p 1234                          what leaks in process 1234?
sudo mmtrace --name redis-server -d 5m        the same by name, for five minutes
sudo mmtrace -p 1234 -o x.folded -o x.json    into files, for other tools
sudo mmtrace -- ./server --port 80            run a command, from its first mapping
sudo mmtrace record -o x.mmtrace -p 1234      keep all of it, for "mmtrace report"
sudo mmtrace -p 1234 --when 'rss>2G'          later, once it is that large`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, command := splitAtDash(cmd, args)
			if err := o.checkTarget(args, command); err != nil {
				return err
			}
			o.openEnded(cmd)
			if err := o.finish(); err != nil {
				return err
			}
			exit, err := runJob(cmd.Context(), o, s, hooks{})
			*code = exit
			return err
		},
		ValidArgsFunction: completePIDs,
	}
	o.addTarget(root.Flags())
	o.addReport(root.Flags())
	o.addOutput(root.Flags(), "write to FILE ("+orList(knownExtensions())+"); - is stdout; may be repeated")
	o.addMessages(root.Flags())
	root.Flags().BoolP("version", "V", false, "print the version")
	completeFlags(root)

	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(s.out, cmd) })
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newRecord(s, code), newReport(s, code), newShm(args, s, code), newDemo(s, code), newDoctor(s, code),
		newSchema(s), newCompletion(s), newMan(s), newVersion(s), newExecStopped())
	root.SetHelpCommand(newHelp(s))
	return root, code
}

// splitAtDash takes arguments apart at "--".
func splitAtDash(cmd *cobra.Command, args []string) (before, command []string) {
	n := cmd.ArgsLenAtDash()
	if n < 0 {
		return args, nil
	}
	return args[:n], args[n:]
}

// openEnded lets the window of a command last as long as the command, unless
// the user set it.
func (o *options) openEnded(cmd *cobra.Command) {
	if len(o.command) > 0 && !cmd.Flags().Changed("duration") {
		o.duration = 0
	}
}
