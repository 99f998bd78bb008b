package symbol

import "testing"

// The first address of a library with a debug file: outlines, symbols, the
// unit, its lines.
func BenchmarkFirstLookup(b *testing.B) {
	path := libc(b)
	for b.Loop() {
		s := New()
		m := s.Module(path, open(b, path))
		m.Frames(0x100000, true)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// An address that was asked for before.
func BenchmarkCached(b *testing.B) {
	m := module(b, libc(b))
	for b.Loop() {
		m.Frames(0x100000, true)
	}
}
