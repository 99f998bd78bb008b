package probe

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// costs measures what single operations of an untraced process cost, in ns.
func costs(t *testing.T) (getppid, pair, fault float64) {
	t.Helper()
	page := unix.Getpagesize()
	b, err := unix.Mmap(-1, 0, 64*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	getppid = perCall(4000, func() { unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) })
	pair = perCall(1000, func() {
		p, _, _ := unix.RawSyscall6(unix.SYS_MMAP, 0, uintptr(page), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0)
		unix.RawSyscall(unix.SYS_MUNMAP, p, uintptr(page), 0)
	})
	fault = perCall(100, func() {
		_ = unix.Madvise(b, unix.MADV_DONTNEED)
		for i := 0; i < 64; i++ {
			b[i*page] = 1
		}
	}) / 64
	return
}

// perCall returns the fastest of some rounds in ns a call.
func perCall(n int, f func()) float64 {
	best := 1e18
	for range 15 {
		start := time.Now()
		for range n {
			f()
		}
		best = min(best, float64(time.Since(start).Nanoseconds())/float64(n))
	}
	return best
}

// TestCostToOthers logs what an attached probe costs processes that it does not
// trace.
func TestCostToOthers(t *testing.T) {
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) { logCosts(t, o) })
	}
}

func logCosts(t *testing.T, o Order) {
	g0, p0, f0 := costs(t)
	p, err := Open(Options{Order: o})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	g1, p1, f1 := costs(t)
	t.Logf("getppid %.0f -> %.0f ns (x%.2f), mmap+munmap %.0f -> %.0f ns (x%.2f), page fault %.0f -> %.0f ns (x%.2f)",
		g0, g1, g1/g0, p0, p1, p1/p0, f0, f1, f1/f0)
}

// TestMapBytes: the ring buffer is part of the memory, whatever the kernel says.
func TestMapBytes(t *testing.T) {
	for _, ring := range []int{1 << 20, DefaultRing} {
		p := openFor(t, Options{RingBytes: ring})
		if n := p.MapBytes(); n < uint64(ring) || n > uint64(ring)+64<<20 {
			t.Errorf("%d bytes of maps with a ring of %d", n, ring)
		}
	}
}
