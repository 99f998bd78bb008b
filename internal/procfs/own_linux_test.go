package procfs

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// A process that works uses CPU time, by its clock as by the kernel's account of
// its end, and none when it has ended.
func TestCPUTime(t *testing.T) {
	testutil.LockMachine(t) // no test may lower a limit meanwhile
	fx := testutil.Start(t, testutil.Compile(t, "pairs.c", "-O2"), "0.3")
	p, err := Open(event.PID(fx.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before, err := p.CPUTime()
	if err != nil {
		t.Fatal(err)
	}
	fx.Run()
	after, err := p.CPUTime()
	if err != nil || after-before < 50*time.Millisecond || after-before > 2*time.Second {
		t.Errorf("%v, then %v, %v", before, after, err)
	}
	fx.Close()
	if n, err := p.CPUTime(); err == nil {
		t.Errorf("an ended process has %v", n)
	}
}

func TestOwnUse(t *testing.T) {
	before := OwnCPU()
	const n = 64 << 20
	b := make([]byte, n)
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		for i := 0; i < n; i += os.Getpagesize() {
			b[i]++
		}
	}
	if used := OwnCPU() - before; used < 10*time.Millisecond {
		t.Errorf("%v of CPU", used)
	}
	peak, err := OwnPeak()
	var r unix.Rusage
	if err != nil || peak < n {
		t.Errorf("at most %d bytes, %v", peak, err)
	}
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil || uint64(r.Maxrss)<<10 > peak+n || peak > uint64(r.Maxrss)<<10+n {
		t.Errorf("%d bytes, and by getrusage %d KiB (%v)", peak, r.Maxrss, err)
	}
}
