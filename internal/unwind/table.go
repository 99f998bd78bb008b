package unwind

import "github.com/mmtrace/mmtrace/internal/symbol"

// ChunkWords is the size of a table's chunk in words of 4 bytes: 64 KiB.
const ChunkWords = 16384

// Limits of the format.
const (
	pageBits  = 16
	maxPages  = ChunkWords/2 - 1
	maxChunks = 1 << 16
)

// A Table tells the rule in force at each address of a file's text. It is a
// list of chunks of ChunkWords words, and does not change once it is built:
//
//	chunk 0:  first page, pages, {place, rows} of each page, rows...
//	others:   rows...
//	place:    chunk<<16 | word within the chunk
//	row:      index of the rule<<16 | address & 0xffff
//
// A page is 64 KiB of text. Its rows lie in one chunk, sorted by address. The
// first is for address 0 of the page, and repeats the rule that the page before
// ended with: a look-up never has to look back. Where no function is, a row
// with a Gap says so.
type Table struct {
	chunks   [][]uint32
	segments []symbol.Segment
	arch     *arch
	stats    Stats
}

// Stats say what Build met.
type Stats struct {
	Functions int // entries of .eh_frame that became rows
	Rows      int
	Malformed int // entries that could not be read
	Outside   int // entries for addresses outside of the text, or covered already
	CutPages  int // pages with more rows than a chunk holds; the last rows are missing
}

// Chunks returns the table's words, which are not to be changed.
func (t *Table) Chunks() [][]uint32 { return t.chunks }

// Stats returns what Build met.
func (t *Table) Stats() Stats { return t.stats }

// Find returns the index of the rule at addr, an address as the file has it.
// ok is false outside of the table's pages.
func (t *Table) Find(addr uint64) (x Index, ok bool) {
	c := t.chunks[0]
	page := addr>>pageBits - uint64(c[0])
	if page >= uint64(c[1]) {
		return 0, false
	}
	place, n := c[2+2*page], c[3+2*page]
	rows := t.chunks[place>>16][place&0xffff:][:n]
	for len(rows) > 1 {
		if half := rows[len(rows)/2:]; uint16(half[0]) <= uint16(addr) {
			rows = half
		} else {
			rows = rows[:len(rows)/2]
		}
	}
	return Index(rows[0] >> 16), true
}

// Bias returns what to subtract from an address of a mapping that begins at
// start and at file offset off to get one that Find takes. ok is false if the
// file's text is not at off.
func (t *Table) Bias(start, off uint64) (bias uint64, ok bool) {
	for _, page := range pageSizes {
		for _, s := range t.segments {
			if off >= s.Off&^(page-1) && off < s.Off+s.File {
				return start - (s.Addr - s.Off + off), true
			}
		}
	}
	return 0, false
}

// pageSizes are the smallest and the largest page of either machine: a mapping
// begins at a multiple of one, so it may begin before the segment.
var pageSizes = [...]uint64{4 << 10, 64 << 10}

// A writer makes a table from rows in the order of their addresses.
type writer struct {
	chunks [][]uint32
	pos    int // next free word of the last chunk
	page   uint64
	rows   []uint32 // of page
	last   Index
	stats  *Stats
}

// newWriter begins a table for [start, end).
func newWriter(start, end uint64, stats *Stats) (*writer, error) {
	first, last := start>>pageBits, (end-1)>>pageBits
	if last-first >= maxPages || last > 1<<32-1 {
		return nil, ErrTooLarge
	}
	w := &writer{page: first, stats: stats}
	w.grow()
	w.chunks[0][0], w.chunks[0][1] = uint32(first), uint32(last-first+1)
	w.pos = 2 + 2*int(last-first+1)
	w.begin(first)
	return w, nil
}

func (w *writer) grow() {
	w.chunks = append(w.chunks, make([]uint32, ChunkWords))
	w.pos = 0
}

// begin starts a page, in which the rule that was last in force goes on.
func (w *writer) begin(page uint64) {
	w.page = page
	w.rows = append(w.rows[:0], uint32(w.last)<<16)
}

// add puts rule x in force at addr, which must be in the table's range and not
// below that of the row before.
func (w *writer) add(addr uint64, x Index) {
	if x == w.last {
		return
	}
	for w.page < addr>>pageBits {
		w.flush()
		w.begin(w.page + 1)
	}
	w.last = x
	row := uint32(x)<<16 | uint32(addr&0xffff)
	n := len(w.rows) - 1
	if uint16(w.rows[n]) != uint16(row) {
		w.rows = append(w.rows, row)
		return
	}
	w.rows[n] = row // nothing lies between the two
	if n > 0 && w.rows[n-1]>>16 == uint32(x) {
		w.rows = w.rows[:n]
	}
}

// flush writes the rows of the page. Of a page that does not fit in a chunk it
// writes what fits, and that the rest is unsupported.
func (w *writer) flush() {
	if len(w.rows) > ChunkWords {
		w.rows = w.rows[:ChunkWords]
		w.rows[ChunkWords-1] = uint32(unsupportedIndex)<<16 | w.rows[ChunkWords-1]&0xffff
		w.stats.CutPages++
	}
	if w.pos+len(w.rows) > ChunkWords {
		w.grow()
	}
	dir := w.chunks[0][2+2*(w.page-uint64(w.chunks[0][0])):]
	dir[0], dir[1] = uint32(len(w.chunks)-1)<<16|uint32(w.pos), uint32(len(w.rows))
	w.pos += copy(w.chunks[len(w.chunks)-1][w.pos:], w.rows)
	w.stats.Rows += len(w.rows)
}

// finish writes what is left and returns the chunks.
func (w *writer) finish() [][]uint32 {
	for end := uint64(w.chunks[0][0]) + uint64(w.chunks[0][1]); ; w.begin(w.page + 1) {
		w.flush()
		if w.page+1 >= end {
			return w.chunks
		}
	}
}
