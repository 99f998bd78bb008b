package procfs

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// TestResidentOfRandomPages touches random runs of pages and looks up random
// ranges, in any order, against what was touched.
func TestResidentOfRandomPages(t *testing.T) {
	const pages = 16384
	size := uint64(os.Getpagesize())
	mem, err := unix.Mmap(-1, 0, pages*int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE)
	random := rand.New(rand.NewPCG(1, 7))
	touched := make([]bool, pages)
	for i, longest := 0, 1; i < pages; longest = longest*3%41 + 1 {
		for n := random.IntN(longest) + 1; n > 0 && i < pages; n, i = n-1, i+1 {
			mem[uint64(i)*size], touched[i] = 1, true
		}
		i += random.IntN(longest) + 1
	}
	var ranges []interval.Range
	var want []Resident
	for i := 0; i < pages; {
		r := Resident{}
		from := i
		for n := 1 << random.IntN(13); n > 0 && i < pages; n, i = n-1, i+1 {
			r.Scanned += size
			if touched[i] {
				r.Present, r.Anon = r.Present+size, r.Anon+size
			}
		}
		ranges, want = append(ranges, interval.Of(addressOf(mem)+uint64(from)*size, r.Scanned)), append(want, r)
		i += random.IntN(2) * random.IntN(40)
	}
	random.Shuffle(len(ranges), func(i, j int) {
		ranges[i], ranges[j], want[i], want[j] = ranges[j], ranges[i], want[j], want[i]
	})
	p, err := Open(event.PID(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, piece := range []uint64{0, 3 * size, 1 << 20, 8 << 20, 64 << 20} {
		for _, entries := range []bool{false, true} {
			got, err := p.Resident(ranges, ResidentScan{Budget: time.Minute, piece: piece, entries: entries})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("pieces of %d, entries %t: %v (-want +got)\n%s", piece, entries, err, diff)
			}
		}
	}
}

// Neighbours are read in one go, and those in front come first.
func TestSpans(t *testing.T) {
	const far = 1 << 30
	var ranges []interval.Range
	for i := range uint64(2 * batchSize) {
		ranges = append(ranges, interval.Of(far+(uint64(2*batchSize)-i)*8192, 4096))
	}
	ranges = append([]interval.Range{interval.Of(8*far, 4096), interval.Of(0x1000, 4096)}, ranges...)
	spans := spansOf(ranges)
	var got []interval.Range
	n := 0
	for _, s := range spans {
		got = append(got, s.Range)
		n += len(s.members)
	}
	want := []interval.Range{interval.Of(8*far, 4096), interval.Of(0x1000, 4096)}
	if len(got) != 5 || n != len(ranges) || cmp.Diff(want, got[:2]) != "" {
		t.Errorf("%d ranges in %v", n, got)
	}
}
