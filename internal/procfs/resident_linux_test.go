package procfs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// TestResident touches known pages of an anonymous and of a file mapping, and
// wants them counted to the page, whichever way they are read.
func TestResident(t *testing.T) {
	page := os.Getpagesize()
	anon, err := unix.Mmap(-1, 0, 64*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(anon)
	_ = unix.Madvise(anon, unix.MADV_NOHUGEPAGE)
	for i := 0; i < 13; i++ {
		anon[i*3*page] = 1
	}
	_ = anon[50*page] // the page of zeros
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 32*page), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := unix.Mmap(int(f.Fd()), 0, 32*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(file)
	sum := 0
	for i := range 32 {
		sum += int(file[i*page])
	}
	for i := range 5 {
		file[i*page] = byte(sum) // copies of the process's own
	}
	p, err := Open(event.PID(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ranges := []interval.Range{rangeOf(anon), rangeOf(file)}
	size := uint64(page)
	want := []Resident{
		{Scanned: 64 * size, Present: 13 * size, Anon: 13 * size},
		{Scanned: 32 * size, Present: 32 * size, Anon: 5 * size},
	}
	for _, scan := range []ResidentScan{{}, {piece: 7 * size}, {entries: true}, {entries: true, piece: 7 * size}} {
		scan.Budget = time.Minute
		got, err := p.Resident(ranges, scan)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got)\n%s", scan, err, diff)
		}
	}
	got, err := p.Resident(ranges, ResidentScan{})
	if diff := cmp.Diff(make([]Resident, 2), got); diff != "" || err != nil {
		t.Errorf("without a budget: %v (-want +got)\n%s", err, diff)
	}
}
