package session

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// swapFile gives the machine 32 MiB of swap in a file, until the test ends. What
// /tmp is in may not take swap, so it lies in /var/tmp.
func swapFile(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		testutil.Need(t, "root")
	}
	testutil.LockMachine(t)
	dir, err := os.MkdirTemp("/var/tmp", "mmtrace-")
	if err != nil {
		testutil.Need(t, fmt.Sprintf("swap in a file: %v", err))
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "swap")
	if err := os.WriteFile(path, swapSpace(32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := swap(unix.SYS_SWAPON, name); err != nil {
		testutil.Need(t, fmt.Sprintf("swap in a file: %v", err))
	}
	t.Cleanup(func() {
		if err := swap(unix.SYS_SWAPOFF, name); err != nil {
			t.Errorf("swapoff: %v", err)
		}
	})
}

// swapSpace returns n bytes of swap space, without holes: its first page has a
// header (union swap_header in include/linux/swap.h).
func swapSpace(n int) []byte {
	page := os.Getpagesize()
	b := make([]byte, n)
	binary.NativeEndian.PutUint32(b[1024:], 1) // version
	binary.NativeEndian.PutUint32(b[1028:], uint32(n/page-1))
	copy(b[page-10:], "SWAPSPACE2")
	return b
}

// TestSwapIsWhatSmapsSays compares what of every call path is in swap and in
// memory with smaps, to the page; of shared memory what is in memory.
func TestSwapIsWhatSmapsSays(t *testing.T) {
	swapFile(t)
	fx := testutil.Start(t, testutil.Compile(t, "swapped.c", "-O2"), t.TempDir())
	s := start(t, fx.PID(), Config{})
	runUntil(t, s, func() { fx.Run() })
	r := finalReport(s)
	sum := compareResidence(t, r, fx.PID(), func(p *report.Path, want *report.Residence) {
		if p.Shared > 0 { // as the caveat says
			want.Swapped = 0
		}
	})
	caveat := "What of shared memory is in swap is not known: page tables do not tell it, and it counts as not in memory."
	if !slices.Contains(r.Caveats, caveat) {
		t.Errorf("caveats %q", r.Caveats)
	}
	if sum != r.Totals.Resident || sum.Swapped < 4<<20 || len(r.Paths) != 8 {
		t.Errorf("%d paths with %+v, in total %+v", len(r.Paths), sum, r.Totals.Resident)
	}
	fx.Close()
}
