package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError words an error of the flag parser as the user would.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		noValue *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &noValue):
		f := noValue.GetFlag()
		return &usageError{msg: fmt.Sprintf("%s wants a value: %s %s", flagName(f), flagName(f), f.Value.Type())}
	case errors.As(err, &invalid):
		return invalidValue(cmd, invalid)
	}
	return &usageError{msg: err.Error()}
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	group := e.GetSpecifiedShortnames()
	switch {
	case group == "":
		msg := "unknown flag --" + name
		if c := closest(name, flagNames(cmd)); c != "" {
			msg += "; did you mean --" + c + "?"
		}
		return &usageError{msg: msg}
	case len(group) > 1:
		return &usageError{msg: fmt.Sprintf("unknown flag -%s in -%s", name, group)}
	}
	return &usageError{msg: "unknown flag -" + name}
}

func invalidValue(cmd *cobra.Command, e *pflag.InvalidValueError) error {
	f := e.GetFlag()
	want := &wantError{want: "true or false"}
	errors.As(e, &want)
	if long := f.Shorthand + e.GetValue(); f.Shorthand != "" && cmd.Flags().Lookup(long) != nil {
		want.mean = "--" + long // -pid 42
	}
	msg := fmt.Sprintf("%s wants %s, got %q", flagName(f), want.want, e.GetValue())
	if want.mean != "" {
		msg += "; did you mean " + want.mean + "?"
	}
	return &usageError{msg: msg}
}

// flagName returns the short name of a flag if it has one.
func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && !strings.HasPrefix(f.Name, "_") {
			names = append(names, f.Name)
		}
	})
	return names
}
