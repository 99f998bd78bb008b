// Package testutil builds and drives the programs that live tests trace: small
// C and Go fixtures that do a known thing to their address space and say what
// they did.
//
// A fixture speaks lines. It says "ready" and waits for "go", does its work,
// says one line for each planted truth and "done", and lives until it hears
// "exit" or its input ends. fixture.h holds the C side of this.
package testutil

import (
	"embed"
	"os"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/*.c testdata/*.h
var sources embed.FS

// Fixtures is the import path prefix of the Go fixtures; see GoBuild.
const Fixtures = "github.com/mmtrace/mmtrace/internal/testutil/testdata/"

// Need fails a test in CI and skips it elsewhere, because of what is missing.
// A live test that cannot run is a failure in CI.
func Need(t testing.TB, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("this test needs %s", missing)
	}
	t.Skipf("this test needs %s", missing)
}

// Truths returns the bytes by function of the lines "truth FUNCTION BYTES"
// among lines.
func Truths(t testing.TB, lines []string) map[string]uint64 {
	t.Helper()
	truths := make(map[string]uint64)
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "truth" {
			continue
		}
		n, err := strconv.ParseUint(f[2], 10, 64)
		if err != nil {
			t.Fatalf("reading %q: %v", line, err)
		}
		truths[f[1]] = n
	}
	return truths
}

// A Failure is a kind of failed call that a fixture made on purpose.
type Failure struct {
	Func  string // the caller
	Call  string // as in "munmap"
	Errno string // as in "EINVAL"
	Count int
}

// Failures returns the lines "failed FUNCTION CALL ERRNO COUNT" among lines, in
// their order.
func Failures(t testing.TB, lines []string) []Failure {
	t.Helper()
	var fs []Failure
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 5 || f[0] != "failed" {
			continue
		}
		n, err := strconv.Atoi(f[4])
		if err != nil {
			t.Fatalf("reading %q: %v", line, err)
		}
		fs = append(fs, Failure{Func: f[1], Call: f[2], Errno: f[3], Count: n})
	}
	return fs
}
