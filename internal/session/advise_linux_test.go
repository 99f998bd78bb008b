package session

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// TestProcessMadvise compares what process_madvise is told to have given back of each
// mapping, in pages, with what the fixture gave back. Of one call the first 32 ranges
// are told, of a call that failed the first one; what is about another process or
// gives nothing back is not told.
func TestProcessMadvise(t *testing.T) {
	fx := testutil.Start(t, testutil.Compile(t, "advise.c", "-O2"))
	s := start(t, fx.PID(), Config{})
	var said []string
	runUntil(t, s, func() { said = fx.Run() })
	r := finalReport(s)
	fx.Close()
	page := uint64(os.Getpagesize())
	got := []string{fmt.Sprintf("calls %d, failed %d", r.Totals.ByKind["madvise"], r.Totals.Failed)}
	for i := range r.Paths {
		c := &r.Paths[i].Commit
		got = append(got, fmt.Sprintf("of %d: %d, %d of them lazily, in %d calls", r.Paths[i].Bytes/page, c.Returned/page, c.ReturnedLazy/page, c.ReturnedCalls))
	}
	got = append(got, fmt.Sprintf("of before: %d", r.Totals.OldReturned/page))
	for _, c := range r.Caveats {
		if strings.HasPrefix(c, "process_madvise") {
			got = append(got, c)
		}
	}
	var want []string
	switch {
	case slices.Equal(said, []string{"allowed 1"}):
		want = []string{
			"calls 3, failed 1",
			"of 80: 35, 32 of them lazily, in 2 calls",
			"of 11: 3, 0 of them lazily, in 1 calls",
			"of 4: 2, 0 of them lazily, in 1 calls",
			"of before: 0",
			fmt.Sprintf("process_madvise gave back %.1f KiB more than is told: of each of its calls the first 32 ranges are looked at.", 8*float64(page)/1024),
		}
	case slices.Equal(said, []string{"allowed 0"}): // before Linux 6.13
		want = []string{
			"calls 0, failed 0",
			"of 80: 0, 0 of them lazily, in 0 calls",
			"of 11: 0, 0 of them lazily, in 0 calls",
			"of 4: 0, 0 of them lazily, in 0 calls",
			"of before: 0",
		}
	default:
		t.Fatalf("the fixture says %q", said)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was given back (-want +got):\n%s", diff)
	}
}
