package main

import (
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// newMan is the verb man, which packages are made with.
func newMan(s streams) *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, _ := buildVersion()
			_, err := io.WriteString(s.out, manPage(cmd.Root(), v, buildDate()))
			return err
		},
	}
}

// manPage returns the manual page of the command tree, in the order in which
// help shows it. The date is that of the page, yyyy-mm-dd.
func manPage(root *cobra.Command, version, date string) string {
	root.InitDefaultHelpCmd()
	r := new(roff)
	name := root.Name()
	r.macro("TH", quoted(strings.ToUpper(name)), "1", `"`+date+`"`, quoted(name+" "+version), `"User Commands"`)
	r.macro("nh") // names of files and variables are words, too long to be cut
	r.macro("ad", "l")
	r.section("name")
	r.line(plain(name) + ` \- ` + plain(lowerFirst(root.Short)))
	r.synopsis(root)
	r.section("description")
	r.text(root.Long)
	r.text(manDescription)
	r.section("options")
	for _, group := range flagGroups {
		r.flags(group, flagsOf(root, group))
	}
	r.section("commands")
	for _, c := range verbsOf(root) {
		r.verb(c, root)
	}
	r.conditions()
	r.exitStatus()
	r.entries("signals", manSignals)
	r.entries("environment", manEnvironment)
	r.entries("files", manFiles)
	r.section("privileges")
	r.text(manPrivileges)
	r.examples(root.Example)
	r.section("see also")
	r.line(manSeeAlso)
	return r.String()
}

// verbsOf returns the verbs that help shows, in its order.
func verbsOf(root *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, verb := range verbs {
		for _, c := range root.Commands() {
			if c.Name() == verb {
				out = append(out, c)
			}
		}
	}
	return out
}

// synopsis writes a line for each form of the command.
func (r *roff) synopsis(root *cobra.Command) {
	r.section("synopsis")
	r.line(usage(root.Use))
	for _, c := range verbsOf(root) {
		r.macro("br")
		r.line(usage(usageLine(c)))
	}
}

var placeholder = regexp.MustCompile(`[A-Z]{2,}(\.[a-z]+)?`)

// usage sets a usage line: words are bold, the names of values are not.
func usage(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		switch {
		case placeholder.MatchString(w):
			words[i] = placeholder.ReplaceAllStringFunc(plain(w), func(p string) string { return `\fI` + p + `\fR` })
		case w == "|" || w == "[flags]":
			words[i] = plain(w)
		default:
			word := strings.Trim(w, "()[]")
			words[i] = strings.Replace(plain(w), plain(word), bold(word), 1)
		}
	}
	return strings.Join(words, " ")
}

// flagsOf returns the flags of one group, in the order in which they were
// defined.
func flagsOf(cmd *cobra.Command, group string) []*pflag.Flag {
	cmd.InitDefaultHelpFlag()
	cmd.Flags().Lookup("help").Usage = "print help"
	var out []*pflag.Flag
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && groupOf(f) == group {
			out = append(out, f)
		}
	})
	return out
}

func (r *roff) flags(group string, flags []*pflag.Flag) {
	if len(flags) == 0 {
		return
	}
	if group != "" {
		r.subsection(group)
	}
	for _, f := range flags {
		text := sentence(f.Usage)
		if d := strings.Trim(defaultOf(f), " []"); d != "" {
			text += "\nThe default is " + d + "."
		}
		r.item(flagTerm(f), text)
	}
}

// flagTerm returns "-d, --duration TIME" with its words set.
func flagTerm(f *pflag.Flag) string {
	term := bold("--" + f.Name)
	if f.Shorthand != "" {
		term = bold("-"+f.Shorthand) + ", " + term
	}
	if kind := f.Value.Type(); kind != "bool" && kind != "count" {
		term += " " + italic(kind)
	}
	return term
}

// verb writes what a verb does, the flags that it shares with the root by their
// names, and its own in full.
func (r *roff) verb(c, root *cobra.Command) {
	r.subsection(usageLine(c))
	r.text(orElse(c.Long, c.Short+"."))
	var shared []string
	var own []*pflag.Flag
	for _, group := range flagGroups {
		for _, f := range flagsOf(c, group) {
			of := root.Flags().Lookup(f.Name)
			switch {
			case f.Name == "help":
			case of != nil && of.Usage == f.Usage && of.DefValue == f.DefValue && of.Shorthand == f.Shorthand:
				shared = append(shared, bold("--"+f.Name))
			default:
				own = append(own, f)
			}
		}
	}
	r.flags("", own)
	if len(shared) > 0 {
		r.macro("PP")
		r.line("It takes these of the options above, too: " + strings.Join(shared, ",\n") + ".")
	}
	if c.Example != "" {
		r.code(c.Example)
	}
}

// conditions lists what --fail-on compares.
func (r *roff) conditions() {
	r.section("conditions")
	r.text(manConditions)
	for _, q := range report.Quantities() {
		r.item(bold(q[0]), sentence(q[1]))
	}
}

var exitCodeEntry = regexp.MustCompile(`(\d+)  (\S+(?: \S+)*)`)

// exitStatus sets the table of exit codes that help prints, and the sentence
// after it.
func (r *roff) exitStatus() {
	r.section("exit status")
	table, after, _ := strings.Cut(exitCodes, "  After ")
	for _, m := range sortedByCode(exitCodeEntry.FindAllStringSubmatch(table, -1)) {
		r.item(bold(m[1]), sentence(m[2]))
	}
	r.macro("PP")
	r.text("After " + after)
}

// sortedByCode orders what two columns tell.
func sortedByCode(entries [][]string) [][]string {
	slices.SortFunc(entries, func(a, b []string) int {
		if len(a[1]) != len(b[1]) {
			return len(a[1]) - len(b[1])
		}
		return strings.Compare(a[1], b[1])
	})
	return entries
}

func (r *roff) entries(section string, list [][2]string) {
	r.section(section)
	for _, e := range list {
		r.item(bold(e[0]), e[1])
	}
}

var exampleLine = regexp.MustCompile(`^(.*\S) {3,}(\S.*)$`)

// examples writes examples of the form "command      comment", the comment first.
func (r *roff) examples(text string) {
	r.section("examples")
	r.text(manExamples)
	for line := range strings.Lines(text) {
		command := strings.TrimSpace(line)
		if m := exampleLine.FindStringSubmatch(command); m != nil {
			command = m[1]
			r.macro("PP")
			r.text(sentence(m[2]))
		}
		r.code(command)
	}
}

// sentence makes a sentence of what stands beside a flag.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if strings.ContainsRune(".?!", rune(text[len(text)-1])) {
		return text
	}
	return text + "."
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
