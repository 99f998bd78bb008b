package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// A check is one answer of doctor.
type check struct {
	Name  string `json:"name"`
	State string `json:"state"` // stateOK, stateWarn or stateFail
	Text  string `json:"text"`
	Next  string `json:"next,omitempty"` // what to do about it
	code  int    // exit code that a fail stands for; 0 means exitFailure
}

const (
	stateOK   = "ok"
	stateWarn = "warn" // tracing works, with a limit
	stateFail = "fail" // tracing does not work
)

func pass(name, format string, args ...any) check {
	return check{Name: name, State: stateOK, Text: fmt.Sprintf(format, args...)}
}

func newDoctor(s streams, code *int) *cobra.Command {
	o := newOptions()
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [-p PID]",
		Short: "Check what tracing needs, here and of a process",
		Example: `mmtrace doctor
sudo mmtrace doctor -p 1234
mmtrace doctor --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				if err := o.checkTarget(args, nil); err != nil {
					return err
				}
			}
			checks := machineChecks()
			for _, pid := range o.pids {
				checks = append(checks, targetChecks(pid)...)
			}
			*code = verdictOf(checks)
			if asJSON {
				return writeChecksJSON(s.out, checks)
			}
			return writeChecks(s.out, checks, s.out.useColour(o.colour.word))
		},
		ValidArgsFunction: completePIDs,
	}
	g := grouped(cmd.Flags(), groupTarget)
	g.VarP(&o.pids, "pid", "p", "check this process, too; may be repeated")
	g.done()
	g = grouped(cmd.Flags(), groupOutput)
	g.BoolVar(&asJSON, "json", false, "for programs")
	g.Var(&o.colour, "color", orList(o.colour.choices))
	g.done()
	completeFlags(cmd)
	return cmd
}

// verdictOf returns exitOK if tracing works, else the code of what fails: that
// of a lack of rights or of a target only if nothing else does.
func verdictOf(checks []check) int {
	code := exitOK
	for _, c := range checks {
		if c.State != stateFail {
			continue
		}
		switch c := cmp.Or(c.code, exitFailure); {
		case code == exitOK, c == exitFailure:
			code = c
		case code != exitFailure && c == exitNotPermitted:
			code = c
		}
	}
	return code
}

func writeChecks(w io.Writer, checks []check, colour bool) error {
	var errs []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	for _, c := range checks {
		say("%s  %-14s %s\n", stateColumn(c.State, colour), c.Name, printable(c.Text))
		if c.Next != "" {
			say("      %-14s -> %s\n", "", printable(c.Next))
		}
	}
	switch verdictOf(checks) {
	case exitOK:
		say("\nmmtrace can trace here.\n")
	case exitNoTarget:
		say("\nmmtrace can trace here, but not that process: see the line that says fail.\n")
	default:
		say("\nmmtrace cannot trace here: see the lines that say fail.\n")
	}
	return errors.Join(errs...)
}

func stateColumn(state string, colour bool) string {
	text := fmt.Sprintf("%-4s", state)
	if !colour {
		return text
	}
	sgr := map[string]string{stateOK: "32", stateWarn: "33", stateFail: "31"}[state]
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func writeChecksJSON(w io.Writer, checks []check) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Schema string  `json:"schema"`
		OK     bool    `json:"ok"`
		Checks []check `json:"checks"`
	}{"mmtrace.doctor/v1", verdictOf(checks) == exitOK, checks})
}
