package recording

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Flags of a frame.
const (
	frameInlined = 1 << iota
	frameGuessed
)

// appendTable adds a table to dst: its strings, its frames, its stacks, each
// once. Equal tables give equal bytes.
func appendTable(dst []byte, t stack.Table) []byte {
	ids := make([]stack.ID, 0, len(t))
	for id := range t {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	strings := pool[string]{index: make(map[string]uint64)}
	strings.add("")
	frames := pool[stack.Frame]{index: make(map[stack.Frame]uint64)}
	var stacks []byte
	for _, id := range ids {
		stacks = binary.LittleEndian.AppendUint64(stacks, uint64(id))
		stacks = binary.AppendUvarint(stacks, uint64(len(t[id])))
		for _, f := range t[id] {
			stacks = binary.AppendUvarint(stacks, frames.add(f))
		}
	}
	var list []byte
	for i := range frames.list {
		list = appendFrame(list, &frames.list[i], &strings)
	}
	dst = binary.AppendUvarint(dst, uint64(len(strings.list)))
	for _, s := range strings.list {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(frames.list)))
	dst = append(dst, list...)
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	return append(dst, stacks...)
}

func appendFrame(dst []byte, f *stack.Frame, strings *pool[string]) []byte {
	var flags byte
	if f.Inlined {
		flags |= frameInlined
	}
	if f.Guessed {
		flags |= frameGuessed
	}
	dst = append(dst, flags)
	for _, s := range []string{f.Function, f.Linkage, f.Module, f.BuildID, f.File} {
		dst = binary.AppendUvarint(dst, strings.add(s))
	}
	dst = binary.AppendUvarint(dst, f.Start)
	dst = binary.AppendUvarint(dst, f.Offset)
	return binary.AppendVarint(dst, int64(f.Line))
}

// A pool numbers distinct values by first appearance.
type pool[T comparable] struct {
	index map[T]uint64
	list  []T
}

func (p *pool[T]) add(v T) uint64 {
	i, ok := p.index[v]
	if !ok {
		i = uint64(len(p.list))
		p.index[v] = i
		p.list = append(p.list, v)
	}
	return i
}

// readTable adds the stacks of a chunk to t. Error: ErrCorrupt.
func readTable(b []byte, t stack.Table) error {
	r := tableReader{rest: b}
	strings := make([]string, r.count(1))
	for i := range strings {
		strings[i] = string(r.take(r.count(1)))
	}
	frames := make([]stack.Frame, r.count(9))
	for i := range frames {
		frames[i] = r.frame(strings)
	}
	for range r.count(9) {
		id := r.take(8)
		path := make([]stack.Frame, r.count(1))
		for i := range path {
			path[i] = pick(&r, frames)
		}
		if r.bad {
			break
		}
		t[stack.ID(binary.LittleEndian.Uint64(id))] = path
	}
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("reading stacks: %w", ErrCorrupt)
	}
	return nil
}

// A tableReader is what is left of a chunk. Once it is bad, it gives zeros.
type tableReader struct {
	rest []byte
	bad  bool
}

func (r *tableReader) frame(strings []string) stack.Frame {
	flags := r.take(1)
	f := stack.Frame{
		Function: pick(r, strings), Linkage: pick(r, strings), Module: pick(r, strings),
		BuildID: pick(r, strings), File: pick(r, strings),
		Start: r.uvarint(), Offset: r.uvarint(),
	}
	line := r.uvarint()
	f.Line = int(int64(line>>1) ^ -int64(line&1))
	f.Inlined = !r.bad && flags[0]&frameInlined != 0
	f.Guessed = !r.bad && flags[0]&frameGuessed != 0
	return f
}

// pick reads an index and returns what it names.
func pick[T any](r *tableReader, list []T) T {
	i := r.uvarint()
	if i >= uint64(len(list)) {
		r.bad = true
		var zero T
		return zero
	}
	return list[i]
}

func (r *tableReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads a number of things that take at least size bytes each.
func (r *tableReader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/size) {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}

// take returns the next n bytes, or nil.
func (r *tableReader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
