package verify

import (
	"os"
	"slices"
	"testing"

	"github.com/mmtrace/mmtrace/internal/conformance"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// workloads returns the short set; MMTRACE_CONFORMANCE=all asks for the long one,
// "guest" for that of emulated machines.
func workloads() []conformance.Workload {
	switch os.Getenv("MMTRACE_CONFORMANCE") {
	case "all":
		return conformance.Workloads(false)
	case "guest":
		return conformance.Guest(os.Getenv("MMTRACE_FIXTURES"))
	}
	return conformance.Workloads(true)
}

// TestWorkloads traces other people's programs.
func TestWorkloads(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of other people's programs")
	}
	table := "\n" + Header
	var sum Score
	for _, w := range workloads() {
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
			sum.Add(score)
		})
	}
	t.Log(table + "\n" + sum.Row("all"))
}
