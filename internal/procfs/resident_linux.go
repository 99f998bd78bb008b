package procfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Resident returns the residence of each range, which are in whole pages, and of
// how many of them it is known: the budget may end before the last. It reads
// with PAGEMAP_SCAN (Linux 6.7), else with /proc/PID/pagemap.
func (p *Process) Resident(ranges []interval.Range, scan ResidentScan) (out []Resident, known int, err error) {
	f, err := p.openTask("pagemap")
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	out = make([]Resident, len(ranges))
	s := scanner{f: f, end: time.Now().Add(scan.Budget), page: uint64(os.Getpagesize())}
	for i, r := range ranges {
		done := pieces(r, scan.Piece, func(r interval.Range) bool {
			if time.Now().After(s.end) {
				return false
			}
			err = s.piece(r, &out[i])
			return err == nil
		})
		if err != nil {
			return out, i, p.wrap("pagemap", err)
		}
		if !done {
			return out, i, nil
		}
	}
	return out, len(ranges), nil
}

// A scanner reads the pagemap of one process.
type scanner struct {
	f    *os.File
	end  time.Time
	page uint64
	old  bool // PAGEMAP_SCAN is not there
	buf  []byte
}

func (s *scanner) piece(r interval.Range, out *Resident) error {
	if !s.old {
		err := s.ioctl(r, out)
		if !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.EINVAL) {
			return err
		}
		s.old = true
	}
	return s.read(r, out)
}

// read counts the entries of /proc/PID/pagemap: 63 present, 62 swapped, 61 a page
// of a file or shared (Documentation/admin-guide/mm/pagemap.rst).
func (s *scanner) read(r interval.Range, out *Resident) error {
	n := int(r.Len() / s.page * 8)
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:n]
	got, err := s.f.ReadAt(b, int64(r.Start/s.page*8))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the entries of %v: %w", r, err)
	}
	for b = b[:got]; len(b) >= 8; b = b[8:] {
		e := binary.LittleEndian.Uint64(b)
		switch {
		case e>>63&1 != 0:
			out.Present += s.page
			if e>>61&1 == 0 {
				out.Anon += s.page
			}
		case e>>62&1 != 0:
			out.Swapped += s.page
		}
	}
	return nil
}
