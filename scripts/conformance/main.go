//go:build linux

// Conformance traces other people's programs from their first instruction to
// their end and compares every process that exits with the kernel's map. It
// prints a table and fails if a trace was not exact. It needs root.
//
//	go run ./scripts/conformance [-short] [-selftests DIR] [NAME...]
//
// DIR is what scripts/selftests.sh prints: the kernel's own memory tests.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/verify"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	short := flags.Bool("short", false, "run the short set, about a minute")
	selftests := flags.String("selftests", "", "run the kernel's tests in this `directory`, too")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ws := conformance.Workloads(*short)
	if *selftests != "" {
		ws = append(ws, conformance.Selftests(*selftests)...)
	}
	if names := flags.Args(); len(names) > 0 {
		ws = slices.DeleteFunc(ws, func(w conformance.Workload) bool { return !slices.Contains(names, w.Name) })
	}
	fmt.Fprintln(stdout, verify.Header)
	var sum verify.Score
	exit := 0
	for _, w := range ws {
		score, err := trace(w)
		if err != nil {
			fmt.Fprintf(stderr, "conformance: %s: %v\n", w.Name, err)
			exit = 1
			continue
		}
		fmt.Fprintln(stdout, score.Row(w.Name))
		for _, err := range score.Bad {
			fmt.Fprintf(stderr, "conformance: %s: %v\n", w.Name, err)
		}
		if !score.Exact() {
			exit = 1
		}
		sum.Add(score)
	}
	fmt.Fprintln(stdout, sum.Row("all"))
	return exit
}

// trace runs one program in a directory of its own.
func trace(w conformance.Workload) (verify.Score, error) {
	if need := w.Missing(); need != "" {
		return verify.Score{}, fmt.Errorf("looking for %s: it is missing", need)
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return verify.Score{}, err
	}
	defer os.RemoveAll(dir)
	c, err := w.Prepare(dir)
	if err != nil {
		return verify.Score{}, err
	}
	return verify.Run(c)
}
