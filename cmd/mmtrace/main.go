// Mmtrace follows every call that changes the address space of a running
// process and reports which call paths map memory and never unmap it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == demoTargetVerb {
		demoTarget(strings.Join(os.Args[2:], ""))
		return
	}
	catchBrokenPipe()
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run does what args ask for; args[0] is the program as it was called. It
// returns the exit code. Only reports and texts that were asked for go to
// stdout, all else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := newStreams(stdin, stdout, stderr, os.Getenv)
	root, code := newRoot(args, s)
	root.SetArgs(args[1:])
	err := root.ExecuteContext(ctx)
	var output *outputError
	if !errors.As(err, &output) {
		err = unlessGone(err) // of help, doctor and the like
	}
	if err == nil {
		return *code
	}
	if !errors.Is(err, errInterrupted) {
		fmt.Fprintf(stderr, "mmtrace: %s\n", printable(err.Error()))
		writeAdvice(stderr, advise(err, args))
	}
	return exitCode(err)
}
