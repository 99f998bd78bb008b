package unwind

import (
	"fmt"
	"io"
	"math"

	"github.com/mmtrace/mmtrace/internal/symbol"
)

// Build reads the size bytes of r as an ELF file and makes the table of its
// text, from .eh_frame and for Go code from the pclntab. The infos that it
// refers to are added to infos. Nothing of r is used after the return. Builds
// with the same infos may run concurrently.
//
// Errors: ErrNoTable, ErrTooLarge, ErrMachine, or those of reading the file.
func Build(r io.ReaderAt, size int64, infos *Infos) (*Table, error) {
	code, err := symbol.ReadCode(r, size)
	if err != nil {
		return nil, fmt.Errorf("reading an ELF file: %w", err)
	}
	a, err := archOf(code.Machine)
	if err != nil {
		return nil, err
	}
	t := &Table{segments: code.Text, arch: a}
	b := &builder{
		section: section{data: code.Frames, addr: code.FramesAt, arch: a, stats: &t.stats},
		file:    file{r, code.Text},
		infos:   infos,
		known:   map[Info]Index{},
	}
	all := append(b.entries(), b.trampolines(r, code.Text)...)
	sortEntries(all)
	if t.chunks, err = b.build(code, b.within(code.Text, all)); err != nil {
		return nil, err
	}
	return t, nil
}

// A builder makes the rows of one file.
type builder struct {
	section
	file
	infos *Infos
	known map[Info]Index // those of infos that occur in this file
	last  Info           // and the one that was asked for last
	lastX Index
	out   *writer
	end   uint64 // of what has been covered so far
	m     machine
	// The rows of a function: none begins below next or at limit.
	next, limit uint64
}

// A span is a range of addresses, [begin, end).
type span struct{ begin, end uint64 }

// build makes the table of the functions in all, sorted, and of those of Go.
func (b *builder) build(code *symbol.Code, all []entry) ([][]uint32, error) {
	golang := b.goSpan(code)
	whole := golang
	for _, e := range all {
		whole.begin, whole.end = min(whole.begin, e.begin), max(whole.end, e.end)
	}
	if whole.begin >= whole.end {
		return nil, ErrNoTable
	}
	var err error
	if b.out, err = newWriter(whole.begin, whole.end, b.stats); err != nil {
		return nil, err
	}
	b.end = whole.begin
	for _, e := range all {
		if golang.end != 0 && e.end > golang.begin {
			b.function(&e, golang.begin)
			b.golang(golang, code.Go)
			golang = span{}
		}
		b.function(&e, math.MaxUint64)
	}
	if golang.end != 0 {
		b.golang(golang, code.Go)
	}
	b.finish(whole.end)
	return b.out.finish(), nil
}

// within returns the entries that lie in one of the segments. Others are what
// the linker left of functions that it threw away.
func (b *builder) within(text []symbol.Segment, all []entry) []entry {
	kept := all[:0]
	for _, e := range all {
		if inSegment(text, span{e.begin, e.end}) {
			kept = append(kept, e)
		} else {
			b.stats.Outside++
		}
	}
	return kept
}

func inSegment(text []symbol.Segment, s span) bool {
	for _, t := range text {
		if s.begin >= t.Addr && s.begin < s.end && s.end-t.Addr <= t.Size {
			return true
		}
	}
	return false
}

// padding is less than linkers and compilers put between two functions to
// align the second one.
const padding = 16

// skip puts a Gap in force from the end of what is covered, up to begin. What
// aligns the next function needs none: nothing runs there.
func (b *builder) skip(begin uint64) {
	if begin > b.end && (begin-b.end >= padding || begin%padding != 0) {
		b.out.add(b.end, gapIndex)
	}
	b.end = max(b.end, begin)
}

// finish puts a Gap in force from the end of what is covered, unless the table
// ends there, too.
func (b *builder) finish(end uint64) {
	if b.end < end || b.end&(1<<pageBits-1) != 0 {
		b.out.add(b.end, gapIndex)
	}
}

// function writes the rows of e as far as they are below limit and not covered
// yet.
func (b *builder) function(e *entry, limit uint64) {
	limit = min(limit, e.end)
	start := max(e.begin, b.end)
	if start >= limit {
		if limit == e.end {
			b.stats.Outside++
		}
		return
	}
	b.skip(start)
	b.stats.Functions++
	b.next, b.limit = start, limit
	k := &b.commons[e.common]
	b.m.section, b.m.common, b.m.emit = &b.section, k, b
	b.m.state, b.m.pc = k.initial, e.begin
	if !b.m.run(cursor{b: b.data[:e.stop], p: int(e.code)}) {
		b.stats.Malformed++
		b.out.add(max(min(b.m.pc, limit-1), b.next), unsupportedIndex)
	}
	b.end = limit
}

// row puts the rule that the machine's state says in force from its address
// on. A row that begins too low is cut; if the next one does so too, it will
// take its place.
func (b *builder) row() {
	at := max(b.m.pc, b.next)
	if at >= b.limit {
		return
	}
	b.next = at
	b.out.add(at, b.intern(b.arch.info(b.m.common, &b.m.state)))
}

// maxFileInfos is how many infos one file can add: a quarter of all. Large
// libraries have 1,000.
const maxFileInfos = MaxInfos / 4

// intern returns the index of in.
func (b *builder) intern(in Info) Index {
	if in == b.last {
		return b.lastX
	}
	x, ok := b.known[in]
	if !ok {
		x = unsupportedIndex
		if len(b.known) < maxFileInfos {
			x = b.infos.intern(in)
			b.known[in] = x
		}
	}
	b.last, b.lastX = in, x
	return x
}
