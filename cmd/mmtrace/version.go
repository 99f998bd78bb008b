package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// version and commit name the build, date is that of the commit, yyyy-mm-dd; a
// release sets them with -ldflags -X.
var version, commit, date string

// buildVersion returns the version and the commit of the program, as far as
// they are known: from the linker, else from what the go command noted.
func buildVersion() (v, c string) {
	v, c = version, commit
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return orElse(v, "devel"), c
	}
	if v == "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && c == "" {
			c = s.Value
		}
	}
	return orElse(v, "devel"), c
}

// buildDate returns the date of the commit, yyyy-mm-dd, or nothing.
func buildDate() string {
	if info, ok := debug.ReadBuildInfo(); ok && date == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" && len(s.Value) >= len(time.DateOnly) {
				return s.Value[:len(time.DateOnly)]
			}
		}
	}
	return date
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func versionText() string {
	v, c := buildVersion()
	return fmt.Sprintf("mmtrace %s (commit %s, %s, %s/%s)", v, orElse(c, "unknown"),
		runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.out, versionText())
			return err
		},
	}
}

// noArgs is for verbs that take flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{msg: fmt.Sprintf("%s takes no argument, got %q", cmd.Name(), args[0])}
}

// tool names this program in reports.
func tool() report.Tool {
	v, c := buildVersion()
	return report.Tool{Name: "mmtrace", Version: v, Commit: c}
}
