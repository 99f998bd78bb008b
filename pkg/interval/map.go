package interval

import (
	"iter"

	"github.com/tidwall/btree"
)

// A Map holds disjoint ranges with a value each. The zero Map is not ready:
// use NewMap. A Map is not safe for concurrent use. Every operation costs
// O(log n) for each range that it touches.
//
// Ranges that touch are never merged, even when their values are equal: each
// stands for a mapping of its own.
type Map[V any] struct {
	tree  *btree.Map[uint64, span[V]] // by start
	bytes uint64
	out   []Entry[V]
}

type span[V any] struct {
	end   uint64
	value V
}

// An Entry is a range of a Map with its value.
type Entry[V any] struct {
	Range
	Value V
}

// NewMap returns an empty Map.
func NewMap[V any]() *Map[V] {
	return &Map[V]{tree: btree.NewMap[uint64, span[V]](64)}
}

// Len returns the number of ranges.
func (m *Map[V]) Len() int { return m.tree.Len() }

// Bytes returns the sum of the lengths of all ranges.
func (m *Map[V]) Bytes() uint64 { return m.bytes }

// Set gives r the value v and returns what was there before, as Remove does.
// An empty r changes nothing.
func (m *Map[V]) Set(r Range, v V) []Entry[V] {
	m.out = m.out[:0]
	if r.Empty() {
		return nil
	}
	if e, ok := m.last(r.End - 1); ok && e.End > r.Start {
		m.remove(r)
	}
	m.insert(r, v)
	return m.out
}

// Remove deletes r from m and returns what it deleted, clipped to r, in
// address order. The slice is valid until the next Set or Remove. An entry
// that straddles an edge of r keeps its outer part:
//
//	m:      |--A--|  |----B----|
//	r:         |--------|
//	after:  |A-|        |--B---|
//	return:    |A-|  |B-|
func (m *Map[V]) Remove(r Range) []Entry[V] {
	m.out = m.out[:0]
	if r.Empty() {
		return nil
	}
	if s, ok := m.tree.Delete(r.Start); ok { // most often that is all of it
		m.bytes -= s.end - r.Start
		m.take(Range{r.Start, s.end}, s.value, r)
		r.Start = min(s.end, r.End)
	}
	if !r.Empty() {
		m.remove(r)
	}
	return m.out
}

// remove takes out what overlaps r.
func (m *Map[V]) remove(r Range) {
	n := len(m.out)
	for e := range m.Over(r) {
		m.out = append(m.out, e)
	}
	found := m.out[n:]
	m.out = m.out[:n] // take puts each back in its own place
	for _, e := range found {
		m.delete(e.Range)
		m.take(e.Range, e.Value, r)
	}
}

// take adds to the result what r has of an entry that was deleted, and inserts
// the outer parts again.
func (m *Map[V]) take(e Range, v V, r Range) {
	if e.Start < r.Start {
		m.insert(Range{e.Start, r.Start}, v)
	}
	if e.End > r.End {
		m.insert(Range{r.End, e.End}, v)
	}
	m.out = append(m.out, Entry[V]{e.Intersect(r), v})
}

// Over yields the entries that overlap r in address order, whole, not clipped.
// m must not change meanwhile.
func (m *Map[V]) Over(r Range) iter.Seq[Entry[V]] {
	return func(yield func(Entry[V]) bool) {
		if r.Empty() {
			return
		}
		if e, ok := m.Find(r.Start); ok && e.Start < r.Start {
			if !yield(e) {
				return
			}
		}
		m.tree.Ascend(r.Start, func(start uint64, s span[V]) bool {
			if start >= r.End {
				return false
			}
			return yield(Entry[V]{Range{start, s.end}, s.value})
		})
	}
}

// All yields every entry in address order. m must not change meanwhile.
func (m *Map[V]) All() iter.Seq[Entry[V]] {
	return func(yield func(Entry[V]) bool) {
		m.tree.Scan(func(start uint64, s span[V]) bool {
			return yield(Entry[V]{Range{start, s.end}, s.value})
		})
	}
}

// Find returns the entry that holds addr.
func (m *Map[V]) Find(addr uint64) (Entry[V], bool) {
	e, _ := m.last(addr)
	return e, e.Contains(addr)
}

// last returns the last entry that begins at or before addr.
func (m *Map[V]) last(addr uint64) (e Entry[V], ok bool) {
	m.tree.Descend(addr, func(start uint64, s span[V]) bool {
		e, ok = Entry[V]{Range{start, s.end}, s.value}, true
		return false
	})
	return e, ok
}

// Copy returns a Map with the same entries that shares no state with m.
func (m *Map[V]) Copy() *Map[V] {
	return &Map[V]{tree: m.tree.Copy(), bytes: m.bytes}
}

// insert adds r, which must not overlap any entry.
func (m *Map[V]) insert(r Range, v V) {
	m.tree.Set(r.Start, span[V]{r.End, v})
	m.bytes += r.Len()
}

// delete takes out the entry that is exactly r.
func (m *Map[V]) delete(r Range) {
	m.tree.Delete(r.Start)
	m.bytes -= r.Len()
}
