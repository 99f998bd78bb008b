package procfs

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// BenchmarkResident looks up 10,000 mappings of two pages, one of them touched. The
// time includes the pauses in which the process gets its turn.
func BenchmarkResident(b *testing.B) {
	page := os.Getpagesize()
	mem, err := unix.Mmap(-1, 0, 40000*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Munmap(mem)
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE)
	var ranges []interval.Range
	for i := 0; i < len(mem); i += 4 * page {
		mem[i] = 1
		ranges = append(ranges, rangeOf(mem[i:i+2*page]))
	}
	p, err := Open(event.PID(os.Getpid()))
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for _, bb := range []struct {
		name    string
		entries bool
	}{{"scan", false}, {"entries", true}} {
		b.Run(bb.name, func(b *testing.B) {
			if !bb.entries && !hasScan(b, p) {
				b.Skip("PAGEMAP_SCAN is not there")
			}
			for b.Loop() {
				got, err := p.Resident(ranges, ResidentScan{Budget: time.Minute, entries: bb.entries})
				if err != nil || got[len(got)-1].Present != uint64(page) {
					b.Fatalf("%+v, %v", got[len(got)-1], err)
				}
			}
			b.ReportMetric(float64(len(ranges)*b.N)/b.Elapsed().Seconds(), "mappings/s")
		})
	}
}
