package procfs

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// TestLazyFree lets go of half of a mapping and of all of another one, of which it
// uses a quarter again. The kernel marks pages in batches, of each processor, so some
// of the last may be missing.
func TestLazyFree(t *testing.T) {
	const size, batches = 8 << 20, 1 << 20
	self, err := Open(event.PID(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	maps := make([][]byte, 2)
	for i := range maps {
		prot := unix.PROT_READ | unix.PROT_WRITE | i*unix.PROT_EXEC // neighbours do not merge
		if maps[i], err = unix.Mmap(-1, 0, size, prot, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
			t.Fatal(err)
		}
		defer unix.Munmap(maps[i])
		if err := unix.Madvise(maps[i], unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL { // a kernel without them
			t.Fatal(err)
		}
	}
	fill := func(b []byte) {
		for k := 0; k < len(b); k += os.Getpagesize() {
			b[k]++
		}
	}
	for i, n := range []int{size / 2, size} {
		fill(maps[i])
		if err := unix.Madvise(maps[i][:n], unix.MADV_FREE); err != nil {
			t.Fatal(err)
		}
	}
	fill(maps[1][:size/4])
	parts, err := self.LazyFree()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{size / 2, size * 3 / 4} {
		r := rangeOf(maps[i])
		var got uint64
		for _, p := range parts {
			if p.Overlaps(r) {
				got += p.Bytes
			}
		}
		if got > want || got+batches < want {
			t.Errorf("mapping %d: %d bytes wait to be taken, want %d", i, got, want)
		}
	}
}
