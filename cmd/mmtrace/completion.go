package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/report"
)

var shells = []string{"bash", "zsh", "fish"}

func newCompletion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a completion script for a shell",
		Example: `mmtrace completion bash > /etc/bash_completion.d/mmtrace
mmtrace completion zsh  > "${fpath[1]}/_mmtrace"
mmtrace completion fish > ~/.config/fish/completions/mmtrace.fish`,
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				switch root := cmd.Root(); args[0] {
				case "bash":
					return root.GenBashCompletionV2(s.out, true)
				case "zsh":
					return root.GenZshCompletion(s.out)
				case "fish":
					return root.GenFishCompletion(s.out, true)
				}
			}
			return &usageError{msg: fmt.Sprintf("completion wants %s, got %q", orList(shells), strings.Join(args, " "))}
		},
	}
}

// completePIDs offers the processes with their names.
func completePIDs(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	list, err := procfs.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var words []string
	for _, e := range list {
		if pid := fmt.Sprint(e.PID); strings.HasPrefix(pid, typed) {
			words = append(words, cobra.CompletionWithDesc(pid, printable(e.Comm)))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeNames offers the names of processes, each once.
func completeNames(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	list, err := procfs.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var words []string
	seen := map[string]bool{}
	for _, e := range list {
		if strings.HasPrefix(e.Comm, typed) && !seen[e.Comm] {
			seen[e.Comm] = true
			words = append(words, printable(e.Comm))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeConditions offers comparisons of what is known, each with what it is.
func completeConditions(known [][2]string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, q := range known {
			words = append(words, cobra.CompletionWithDesc(q[0]+">", q[1]))
		}
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeFlags tells the shell what the values of cmd's flags can be. An error
// would mean that a flag is not there or is registered twice.
func completeFlags(cmd *cobra.Command) {
	byName := map[string]cobra.CompletionFunc{"pid": completePIDs, "name": completeNames,
		"fail-on": completeConditions(report.Quantities()), "when": completeConditions(report.Gauges())}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete, ok := byName[f.Name]
		if choice, is := f.Value.(*choiceValue); is {
			complete, ok = cobra.FixedCompletions(choice.choices, cobra.ShellCompDirectiveNoFileComp), true
		}
		if !ok {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
			panic(err)
		}
	})
}
