package recording

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/report"
)

var update = flag.Bool("update", false, "write testdata/v1.mmtrace anew")

// A file of version 1 as it was first written: every later mmtrace reads it.
func TestVersion1(t *testing.T) {
	const file = "testdata/v1.mmtrace"
	if *update {
		if err := os.WriteFile(file, record(t, testEvents), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testEvents, scan(r)); diff != "" {
		t.Errorf("events (-written +read):\n%s", diff)
	}
	if diff := cmp.Diff(testFrames, r.Frames()); diff != "" {
		t.Errorf("frames (-written +read):\n%s", diff)
	}
	want := testFacts
	want.Cost = report.CostFacts{} // was added to version 1 later
	if diff := cmp.Diff(want, r.Facts()); diff != "" || !r.Complete() {
		t.Errorf("complete %t, facts (-written +read):\n%s", r.Complete(), diff)
	}
}
