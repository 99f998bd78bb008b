package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mmtrace/mmtrace/pkg/report"
)

const groupKey = "mmtrace_group" // of a flag's annotations

// A flagGroup adds flags to a set and notes for help that they belong together.
type flagGroup struct {
	*pflag.FlagSet
	to   *pflag.FlagSet
	name string
}

// grouped returns a group to define flags in; done adds them to fs.
func grouped(fs *pflag.FlagSet, name string) flagGroup {
	g := pflag.NewFlagSet(name, pflag.ContinueOnError)
	g.SortFlags, fs.SortFlags = false, false
	return flagGroup{g, fs, name}
}

func (g flagGroup) done() {
	g.VisitAll(func(f *pflag.Flag) {
		f.Annotations = map[string][]string{groupKey: {g.name}}
		g.to.AddFlag(f)
	})
}

// groupOf returns the name of a flag's group.
func groupOf(f *pflag.Flag) string {
	if g := f.Annotations[groupKey]; len(g) == 1 {
		return g[0]
	}
	return groupOther
}

const exitCodes = `Exit codes
    0  done                           5  no such process
    1  failed                         6  something was lost, with --strict
    2  the command line is wrong    130  interrupted twice
    3  what --fail-on names holds
    4  not permitted
  After -- COMMAND: the command's own, 128+n if signal n ended it,
  127 if there is no such command, 126 if it cannot be run; 3 comes first.
`

// writeHelp prints the help of a verb, for the root with the verbs and the exit
// codes.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	cmd.Flags().Lookup("help").Usage = "print this"
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage\n  %s\n", text, usageLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples\n%s\n", indent(cmd.Example))
	}
	if !cmd.HasParent() {
		writeVerbs(&b, cmd)
	}
	for _, name := range flagGroups {
		writeGroup(&b, cmd, name)
	}
	if !cmd.HasParent() {
		writeConditions(&b)
		fmt.Fprintf(&b, "\n%s", exitCodes)
	}
	io.WriteString(w, b.String())
}

// writeConditions lists what --fail-on and --when compare.
func writeConditions(b *strings.Builder) {
	b.WriteString("\nWhat --fail-on compares, by > >= < <= or =\n")
	for _, q := range report.Quantities() {
		fmt.Fprintf(b, "  %-16s%s\n", q[0], q[1])
	}
	b.WriteString("\nWhat --when compares, in the same way\n")
	for _, g := range report.Gauges() {
		fmt.Fprintf(b, "  %-16s%s\n", g[0], g[1])
	}
}

func usageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return cmd.Root().Name() + " " + cmd.Use
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func writeVerbs(b *strings.Builder, root *cobra.Command) {
	b.WriteString("\nCommands\n")
	for _, verb := range verbs {
		if c, _, err := root.Find([]string{verb}); err == nil {
			fmt.Fprintf(b, "  %-12s%s\n", c.Name(), c.Short)
		}
	}
	b.WriteString("\"mmtrace COMMAND --help\" tells more of each.\n")
}

// writeGroup prints the flags of one group as pflag would, in the order in which
// they were defined, but without defaults that go without saying.
func writeGroup(b *strings.Builder, cmd *cobra.Command, group string) {
	var rows [][2]string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && groupOf(f) == group {
			rows = append(rows, [2]string{flagColumn(f), f.Usage + defaultOf(f)})
		}
	})
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", group)
	for _, r := range rows {
		fmt.Fprintf(b, "  %-25s %s\n", r[0], r[1])
	}
}

// flagColumn returns "-d, --duration TIME".
func flagColumn(f *pflag.Flag) string {
	col := "    --" + f.Name
	if f.Shorthand != "" {
		col = "-" + f.Shorthand + ", --" + f.Name
	}
	if kind := f.Value.Type(); kind != "bool" && kind != "count" {
		col += " " + kind
	}
	return col
}

func defaultOf(f *pflag.Flag) string {
	if slices.Contains([]string{"", "0", "false"}, f.DefValue) {
		return ""
	}
	return " [" + f.DefValue + "]"
}

// newHelp is the verb help. It differs from cobra's own in that it knows when a
// verb is mistyped.
func newHelp(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				writeHelp(s.out, root)
				return nil
			}
			for _, c := range root.Commands() {
				if c.Name() == args[0] {
					writeHelp(s.out, c)
					return nil
				}
			}
			msg := fmt.Sprintf("unknown command %q", args[0])
			if verb := closest(args[0], verbs); verb != "" {
				msg += "; did you mean " + verb + "?"
			}
			return &usageError{msg: msg}
		},
	}
}
