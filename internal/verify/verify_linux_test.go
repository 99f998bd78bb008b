package verify

import (
	"os"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestWorkloads traces other people's programs; MMTRACE_CONFORMANCE=all asks for
// the long set.
func TestWorkloads(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of other people's programs")
	}
	table := "\n" + Header
	for _, w := range conformance.Workloads(os.Getenv("MMTRACE_CONFORMANCE") != "all") {
		t.Run(w.Name, func(t *testing.T) {
			if need := w.Missing(); need != "" {
				testutil.Need(t, need)
			}
			c, err := w.Prepare(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			score, err := Run(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range score.Bad {
				t.Error(err)
			}
			if score.Exit != 0 && !slices.Contains(w.Exits, score.Exit) {
				t.Errorf("exit status %d\n%s", score.Exit, score.Output)
			}
			if !score.Exact() {
				t.Errorf("not exact:\n%s\n%s", Header, score.Row(w.Name))
			}
			table += "\n" + score.Row(w.Name)
		})
	}
	t.Log(table)
}
