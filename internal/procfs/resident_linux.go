package procfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Resident returns the residence of each range. Ranges are in whole pages and do
// not overlap; those that matter most come first, since the budget may end before
// the last: Scanned says how far each was read. It reads with PAGEMAP_SCAN
// (Linux 6.7), else the entries of /proc/PID/pagemap; there a reader without
// CAP_SYS_ADMIN takes the page of zeros for one of the process's own.
//
// With an error it returns what was read before.
func (p *Process) Resident(ranges []interval.Range, scan ResidentScan) ([]Resident, error) {
	out := make([]Resident, len(ranges))
	f, err := p.openTask("pagemap")
	if err != nil {
		return out, err
	}
	defer f.Close()
	s := newScanner(f, scan)
	for _, sp := range spansOf(ranges) {
		done, err := s.span(sp, ranges, out)
		if err != nil {
			return out, p.wrap("pagemap", err)
		}
		if !done {
			break
		}
	}
	return out, nil
}

// A scanner reads the pagemap of one process.
type scanner struct {
	f       *os.File
	end     time.Time
	page    uint64
	longest uint64        // piece
	piece   uint64        // length of the next
	held    time.Duration // spent reading since the last pause

	entries bool // PAGEMAP_SCAN is not there
	noGuard bool // it does not know guard pages
	zero    map[uint64]bool
	buf     []byte
	found   []extent
}

func newScanner(f *os.File, scan ResidentScan) *scanner {
	s := &scanner{f: f, end: time.Now().Add(scan.Budget), page: uint64(os.Getpagesize()),
		longest: maxPiece, piece: firstPiece, entries: scan.entries}
	if scan.piece != 0 {
		s.longest, s.piece = scan.piece, scan.piece
	}
	return s
}

// span counts the pages of a span for its members. It returns false when the
// budget is used up.
func (s *scanner) span(sp span, ranges []interval.Range, out []Resident) (bool, error) {
	left := sp.members
	for at := sp.Start; at < sp.End; {
		start := time.Now()
		if !start.Before(s.end) {
			return false, nil
		}
		r := interval.Of(at, s.piece)
		r.End = min(r.End, sp.End)
		s.found = s.found[:0]
		reached, err := s.read(r)
		if err != nil {
			return false, err
		}
		s.wait(time.Since(start))
		left = share(s.found, reached, left, ranges, out)
		at = reached
	}
	return true, nil
}

// wait fits the length of pieces to the time that one took, and pauses.
func (s *scanner) wait(took time.Duration) {
	switch {
	case took > 2*heldAtOnce:
		s.piece = max(s.piece/2, minPiece)
	case took < heldAtOnce/2:
		s.piece = min(s.piece*2, s.longest)
	}
	if s.held += took; s.held >= heldAtOnce {
		time.Sleep(s.held)
		s.held = 0
	}
}

// read finds the pages of a part of r, from its start, and returns where it ends.
func (s *scanner) read(r interval.Range) (reached uint64, err error) {
	if !s.entries {
		reached, err = s.ioctl(r)
		if !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.EINVAL) {
			return reached, err
		}
		s.entries = true
	}
	return r.End, s.readEntries(r)
}

// readEntries reads the entries of /proc/PID/pagemap: bit 63 present, 62 swapped,
// 61 a page of a file or shared, 58 a guard, 0-54 the page's number
// (Documentation/admin-guide/mm/pagemap.rst).
func (s *scanner) readEntries(r interval.Range) error {
	if s.zero == nil {
		s.zero = zeroPages()
	}
	n := int(r.Len() / s.page * 8)
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:n]
	got, err := s.f.ReadAt(b, int64(r.Start/s.page*8))
	if err != nil && !errors.Is(err, io.EOF) { // the end of the address space
		return fmt.Errorf("reading the entries of %v: %w", r, err)
	}
	for i := 0; i+8 <= got; i += 8 {
		e := binary.LittleEndian.Uint64(b[i:])
		x := extent{Range: interval.Of(r.Start+uint64(i)/8*s.page, s.page)}
		switch {
		case e>>63&1 != 0 && !s.zero[e&pageNumber]:
			x.present, x.anon = true, e>>61&1 == 0
		case e>>62&1 != 0 && e>>58&1 == 0:
			x.swapped = true
		default:
			continue
		}
		s.append(x)
	}
	return nil
}

const pageNumber = 1<<55 - 1 // the bits of an entry that hold the page's number

// append adds x to what was found, as a part of the extent before it if it can be.
func (s *scanner) append(x extent) {
	if n := len(s.found); n > 0 {
		last := &s.found[n-1]
		if last.End == x.Start && last.present == x.present && last.anon == x.anon && last.swapped == x.swapped {
			last.End = x.End
			return
		}
	}
	s.found = append(s.found, x)
}

// zeroPages returns the numbers of the pages of zeros, the small and the huge one,
// which every process shares. It finds them as pages of its own that were read and
// never written; without CAP_SYS_ADMIN there are no numbers to be had.
func zeroPages() map[uint64]bool {
	zero := make(map[uint64]bool)
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return zero
	}
	defer f.Close()
	for _, advice := range []int{unix.MADV_NOHUGEPAGE, unix.MADV_HUGEPAGE} {
		addZeroPages(zero, f, advice)
	}
	return zero
}

const hugePage = 2 << 20 // bytes, where the page of zeros has a huge sister

func addZeroPages(zero map[uint64]bool, f *os.File, advice int) {
	mem, err := unix.Mmap(-1, 0, 2*hugePage, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return
	}
	defer unix.Munmap(mem)
	_ = unix.Madvise(mem, advice) // a kernel without huge pages has no huge page of zeros
	start := addressOf(mem)
	skip := -start & (hugePage - 1)
	runtime.KeepAlive(mem[skip]) // read, which is not left out
	page := uint64(os.Getpagesize())
	b := make([]byte, hugePage/page*8)
	n, _ := f.ReadAt(b, int64((start+skip)/page*8))
	for b = b[:n/8*8]; len(b) > 0; b = b[8:] {
		if e := binary.LittleEndian.Uint64(b); e>>63&1 != 0 && e&pageNumber != 0 {
			zero[e&pageNumber] = true
		}
	}
}
