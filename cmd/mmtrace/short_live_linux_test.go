package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// shortPath is the call path of what short.c keeps, through the C library.
var shortPath = regexp.MustCompile(`(?m)^short[^;]*;_start;.*;main;short_caller;short_leaf;malloc;.* 1052672$`)

// Every call path of a command that lives for about a millisecond is complete, run
// after run, also of its dynamic linker: its files are known though it is gone.
func TestShortCommandHasWholeStacks(t *testing.T) {
	needTracing(t)
	short := testutil.Compile(t, "short.c", "-O2")
	for _, argv := range [][]string{{short}, {"sh", "-c", "/bin/true; true"}, {"/bin/true"}} {
		t.Run(filepath.Base(argv[0]), func(t *testing.T) {
			for range 5 {
				r := newRun(t, append([]string{"-q", "-f", "-o", "paths.folded", "--"}, argv...)...)
				r.start()
				if got := r.wait(); got.code != 0 {
					t.Fatalf("exit code %d\n%s", got.code, got.err)
				}
				text, err := os.ReadFile(filepath.Join(r.cmd.Dir, "paths.folded"))
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(text, []byte(stack.Incomplete)) {
					t.Errorf("a path is not complete:\n%s", text)
				}
				if argv[0] == short && !shortPath.Match(text) {
					t.Errorf("the path of the program's own call is missing:\n%s", text)
				}
			}
		})
	}
}
