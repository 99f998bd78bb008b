package unwind

import (
	"os"
	"path/filepath"
	"testing"
)

// eachLibrary runs a benchmark with the C library and with a very large library, as
// far as they are where Debian has them.
func eachLibrary(b *testing.B, run func(b *testing.B, name string)) {
	for _, file := range []string{"libc.so.6", "libLLVM.so.19.1"} {
		b.Run(file, func(b *testing.B) {
			names, err := filepath.Glob("/usr/lib/*-linux-gnu/" + file)
			if err != nil || len(names) == 0 {
				b.Skip("it is not there")
			}
			run(b, names[0])
		})
	}
}

// BenchmarkBuild is to stay below 0.3 s and 40 MB with a library of 118,000
// functions.
func BenchmarkBuild(b *testing.B) {
	eachLibrary(b, func(b *testing.B, name string) {
		fi, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(fi.Size())
		b.ReportAllocs()
		var t *Table
		for b.Loop() {
			t = buildFile(b, name, NewInfos())
		}
		b.ReportMetric(float64(t.Stats().Functions)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mfunctions/s")
	})
}

// BenchmarkFind looks up the rules of addresses all over the table's pages.
func BenchmarkFind(b *testing.B) {
	eachLibrary(b, func(b *testing.B, name string) {
		t := buildFile(b, name, NewInfos())
		first, pages := uint64(t.chunks[0][0]), uint64(t.chunks[0][1])
		for x := uint64(0); b.Loop(); x = x*6364136223846793005 + 1442695040888963407 {
			if _, ok := t.Find(first<<pageBits + (x>>11)%(pages<<pageBits)); !ok {
				b.Fatal("no rule")
			}
		}
	})
}
