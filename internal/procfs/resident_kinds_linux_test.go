package procfs

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// planted is where the mappings of resident.c begin, which share no line of smaps.
const planted = 0x600000000000

// smaps returns the residence of each planted mapping as /proc/PID/smaps has it.
func smaps(t *testing.T, pid int) (ranges []interval.Range, out []Resident) {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r *Resident
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var start, end, kb uint64
		if n, _ := fmt.Sscanf(sc.Text(), "%x-%x ", &start, &end); n == 2 {
			if r = nil; start >= planted && start < planted+1<<44 {
				ranges, out = append(ranges, interval.Range{Start: start, End: end}), append(out, Resident{Scanned: end - start})
				r = &out[len(out)-1]
			}
			continue
		}
		key, value, _ := strings.Cut(sc.Text(), ":")
		if n, _ := fmt.Sscanf(value, "%d kB", &kb); n == 1 && r != nil {
			r.line(key, kb<<10)
		}
	}
	return ranges, out
}

// line adds one line of smaps.
func (r *Resident) line(key string, bytes uint64) {
	switch key {
	case "Rss":
		r.Present += bytes
	case "Anonymous":
		r.Anon += bytes
	case "Swap":
		r.Swapped += bytes
	case "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped":
		r.Huge += bytes
	case "Private_Hugetlb":
		r.Present += bytes
		r.Anon += bytes
		r.Huge += bytes
	}
}

// TestResidentIsWhatSmapsSays compares every kind of mapping with smaps, to the
// page, whichever way it is read.
func TestResidentIsWhatSmapsSays(t *testing.T) {
	testutil.LockMachine(t) // no test may lower a limit meanwhile
	fx := testutil.Start(t, testutil.Compile(t, "resident.c", "-O2"), t.TempDir())
	for _, line := range fx.Run() {
		if missing, ok := strings.CutPrefix(line, "without "); ok {
			t.Logf("not tested, this machine has none: %s", missing)
		}
	}
	ranges, want := smaps(t, fx.PID())
	var sum Resident
	for _, r := range want {
		sum.Present += r.Present
		sum.Swapped += r.Swapped
		sum.Huge += r.Huge
	}
	for what, n := range map[string]uint64{"huge pages": sum.Huge, "swap": sum.Swapped} {
		if n == 0 {
			t.Logf("not tested, this machine has none: %s", what)
		}
	}
	if len(ranges) < 200 || sum.Present < 8<<20 {
		t.Fatalf("%d mappings with %d bytes are too few", len(ranges), sum.Present)
	}
	p, err := Open(event.PID(fx.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	scans := hasScan(t, p)
	for _, scan := range []ResidentScan{{}, {piece: 64 << 10}, {entries: true}, {entries: true, piece: 64 << 10}} {
		scan.Budget = time.Minute
		got, err := p.Resident(ranges, scan)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(want)
		for i := range want {
			if scan.entries || !scans { // entries do not tell
				want[i].Huge = 0
			}
			if diff := cmp.Diff(want[i], got[i]); diff != "" {
				t.Errorf("%+v: %v (-smaps +got):\n%s", scan, ranges[i], diff)
			}
		}
	}
	fx.Close()
}

// hasScan reports whether the kernel has PAGEMAP_SCAN (Linux 6.7).
func hasScan(t testing.TB, p *Process) bool {
	t.Helper()
	f, err := p.openTask("pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := newScanner(f, ResidentScan{})
	if _, err := s.read(interval.Of(0, s.page)); err != nil {
		t.Fatal(err)
	}
	return !s.entries
}
