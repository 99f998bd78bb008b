package report_test

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// What changes while the kernel's map is read is not compared: the comparison is of
// what was mapped before, and a target has what is mapped afterwards.
func TestChangesDuringTheLastReading(t *testing.T) {
	r := report.Build(traced(t, `
process pid=100 comm=x
snapshot
mmap 0x1000+0x4000 stack=1
mmap 0x9000+0x1000 stack=2 seq=3
snapshot from=1 to=3
  3000-5000 rw-p
  9000-a000 rw-p
munmap 0x1000+0x2000 seq=2
`), nil, report.Facts{End: 1e9})
	q := r.Quality
	if got, want := [...]uint64{q.LiveBytes, q.VerifiedBytes, q.ExtraBytes, q.UnexplainedBytes, r.Targets[0].Bytes},
		[...]uint64{0x4000, 0x4000, 0, 0, 0x3000}; got != want {
		t.Errorf("live, verified, extra, unexplained, target: got %#x, want %#x", got, want)
	}
}
