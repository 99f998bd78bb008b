package unwind

import (
	"os"
	"testing"
)

// BenchmarkBuild is to stay below 0.3 s and 40 MB with a library of 118,000
// functions.
func BenchmarkBuild(b *testing.B) {
	name := "/usr/lib/x86_64-linux-gnu/libLLVM.so.19.1"
	if _, err := os.Stat(name); err != nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		buildFile(b, name, NewInfos())
	}
}
