package procfs

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A stall is how long pairs of mmap and munmap took.
type stall struct {
	worst, mean time.Duration
	pairs       int
}

func stallDuring(t testing.TB, fx *testutil.Proc, work func()) stall {
	t.Helper()
	fx.Send("reset")
	time.Sleep(time.Millisecond)
	work()
	fx.Send("worst")
	var s stall
	if _, err := fmt.Sscanf(fx.ReadLine(), "ns worst %d mean %d pairs %d", &s.worst, &s.mean, &s.pairs); err != nil {
		t.Fatal(err)
	}
	return s
}

// ahead gives the calling goroutine a thread with the nice value that a session's has
// while it looks up residence, and returns what ends that thread's part.
func ahead(t testing.TB) (end func()) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -10); err != nil {
		t.Fatal(err)
	}
	return func() {
		if unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 0) == nil {
			runtime.UnlockOSThread()
		}
	}
}

// ownRanges returns the mappings of stall.c: those without a file.
func ownRanges(t testing.TB, p *Process) []interval.Range {
	t.Helper()
	regions, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	var out []interval.Range
	for _, r := range regions {
		if r.Path == "" {
			out = append(out, r.Range)
		}
	}
	return out
}

// TestResidentStall measures how long a process with 60,000 mappings waits for
// its own calls while its residence is looked up, and while smaps is read. Its
// figures mean something on a machine that is otherwise idle, so it runs only
// where MMTRACE_STALL_MIB says how much memory the process should have.
func TestResidentStall(t *testing.T) {
	mib := os.Getenv("MMTRACE_STALL_MIB")
	if mib == "" {
		t.Skip("MMTRACE_STALL_MIB is not set")
	}
	fx := testutil.Start(t, testutil.Compile(t, "stall.c", "-O2"), "60000", mib)
	fx.Run()
	p, err := Open(event.PID(fx.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ranges := ownRanges(t, p)
	measure := func(what string, work func()) {
		for range 3 {
			var took time.Duration
			s := stallDuring(t, fx, func() {
				start := time.Now()
				work()
				took = time.Since(start)
			})
			t.Logf("%-18s %8v  mmap and munmap: worst %9v, mean %8v of %d", what, took.Round(10*time.Microsecond), s.worst, s.mean, s.pairs)
		}
	}
	resident := func(scan ResidentScan) func() {
		return func() {
			defer ahead(t)()
			scan.Budget = time.Minute
			got, err := p.Resident(ranges, scan)
			if err != nil || got[len(got)-1].Scanned == 0 {
				t.Fatal(err)
			}
		}
	}
	measure("nothing", func() { time.Sleep(200 * time.Millisecond) })
	measure("PAGEMAP_SCAN", resident(ResidentScan{}))
	measure("pagemap", resident(ResidentScan{entries: true}))
	measure("smaps", func() {
		f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", fx.PID()))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.Copy(io.Discard, f); err != nil {
			t.Fatal(err)
		}
	})
}
