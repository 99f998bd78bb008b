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

// BenchmarkThousand names a thousand addresses all over the C library, with their
// lines and what is inlined there, from nothing.
func BenchmarkThousand(b *testing.B) {
	path := libc(b)
	syms := nm(b, path, "-D")
	for b.Loop() {
		s := New()
		m := s.Module(path, open(b, path))
		for i := range 1000 {
			sym := syms[i*len(syms)/1000]
			if len(m.Frames(sym.addr+sym.size/2, true)) == 0 {
				b.Fatalf("%s has no name", sym.name)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "us/address")
}
