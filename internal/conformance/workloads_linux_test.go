package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// whole asks for the long set and the kernel's tests.
var whole = os.Getenv("MMTRACE_CONFORMANCE") == "all"

func driveAll(t *testing.T, ws []Workload) {
	t.Helper()
	for _, w := range ws {
		t.Run(w.Name, func(t *testing.T) {
			if need := w.Missing(); need != "" {
				testutil.Need(t, need)
			}
			c, err := w.Prepare(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			res, _ := drive(t, c)
			if res.Exit != 0 && !slices.Contains(w.Exits, res.Exit) {
				t.Errorf("exit status %d\n%s", res.Exit, res.Output)
			}
			if res.Quiet == 0 {
				t.Error("no quiet point")
			}
			res.Output = nil
			t.Logf("%+v", res)
		})
	}
}

func TestWorkloads(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of other people's programs")
	}
	if os.Getenv("MMTRACE_CONFORMANCE") == "guest" {
		driveAll(t, Guest(os.Getenv("MMTRACE_FIXTURES")))
		return
	}
	driveAll(t, Workloads(!whole))
}

func TestSelftests(t *testing.T) {
	if !whole {
		t.Skip("minutes of the kernel's tests: set MMTRACE_CONFORMANCE=all")
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	ws := Selftests(filepath.Join(dir, "mmtrace", "selftests", "mm"))
	ws = slices.DeleteFunc(ws, func(w Workload) bool { return w.Missing() != "" })
	if len(ws) < 20 {
		testutil.Need(t, "the programs that scripts/selftests.sh builds")
	}
	driveAll(t, ws)
}

func TestWorkloadNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, w := range append(Workloads(false), Selftests("/x")...) {
		if w.Name == "" || seen[w.Name] || len(w.Argv) == 0 {
			t.Errorf("workload %q: not a name of its own, or no command", w.Name)
		}
		seen[w.Name] = true
	}
	for _, w := range Workloads(true) {
		if !seen[w.Name] {
			t.Errorf("workload %s is only in the short set", w.Name)
		}
	}
}
