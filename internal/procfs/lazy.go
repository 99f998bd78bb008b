package procfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A LazyFree is a part of an address space, a line of its map, with how many bytes of
// it were given back by MADV_FREE and not written to since: they are in memory until
// the kernel needs it.
type LazyFree struct {
	interval.Range
	Bytes uint64
}

var lazyFreeKey = []byte("LazyFree:")

// parseLazyFree reads /proc/PID/smaps and returns the parts of which something may be
// taken lazily, in the order of addresses. An error names the line.
func parseLazyFree(r io.Reader) ([]LazyFree, error) {
	br := bufio.NewReaderSize(r, maxMapsLine)
	var out []LazyFree
	var at interval.Range
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if len(line) == 0 && err == io.EOF {
			return out, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, lazyFreeKey); ok {
			c := cursor{bytes.TrimLeft(value, " "), true}
			kb := c.decimal()
			if !c.ok || string(c.rest) != " kB" || kb > at.Len()>>10 {
				return nil, fmt.Errorf("line %d: no size: %.80q", n, line)
			}
			if kb > 0 {
				out = append(out, LazyFree{at, kb << 10})
			}
		} else if reg, _, ok := parseRegion(line); ok {
			at = interval.Range{Start: reg.Start, End: reg.End}
		}
	}
}
