package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyAddress returns all addresses of a function.
func everyAddress(t testing.TB, file, name string) []uint64 {
	t.Helper()
	for _, s := range nm(t, file) {
		if s.name == name {
			var out []uint64
			for a := s.addr; a < s.addr+s.size; a++ {
				out = append(out, a)
			}
			return out
		}
	}
	t.Fatalf("no function %s in %s", name, file)
	return nil
}

// With optimisation at link time a call can be inlined from another unit, and
// its name is there.
func TestInlinedFromAnotherUnit(t *testing.T) {
	dir := source(t, "a.c", "int hidden(int);\nint there(int n) { return hidden(n) * 3; }\n")
	for name, text := range map[string]string{
		"b.c": "int there(int);\nint main(int argc, char **argv) {\n\treturn there(argc) + there(argc + 1);\n}\n",
		"c.c": "__attribute__((noinline)) int hidden(int n) { __asm__ volatile(\"\"); return n; }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "gcc", "-O2", "-g", "-flto", "-o", "p", "a.c", "b.c", "c.c")
	path := filepath.Join(dir, "p")
	m, addrs := module(t, path), everyAddress(t, path, "main")
	kinds := compareAll(t, m, addrs, addr2line(t, path, addrs), nil)
	if diff := cmp.Diff(map[string]int{"": len(addrs)}, kinds); diff != "" {
		t.Error(diff)
	}
	names := map[string]bool{}
	for _, a := range addrs {
		for _, f := range m.Frames(offsetOf(t, m, a), false) {
			names[f.Function] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"main": true, "there": true}, names); diff != "" {
		t.Error(diff)
	}
}

// A section that says it is larger than its form can make it, or larger than
// what is held, takes no memory.
func TestCompressedSectionsAreBounded(t *testing.T) {
	for _, kind := range []elf.CompressionType{elf.COMPRESS_ZLIB, elf.COMPRESS_ZSTD} {
		for _, size := range []uint64{1 << 22, maxInflated + 1, 1 << 63} {
			b := make([]byte, 64)
			b[0] = byte(kind)
			binary.LittleEndian.PutUint64(b[8:], size)
			im := &image{File: &elf.File{FileHeader: elf.FileHeader{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}}}
			im.src = &store{r: bytes.NewReader(b), size: uint64(len(b))}
			budget := uint64(maxInflated)
			s := &elf.Section{SectionHeader: elf.SectionHeader{FileSize: 64}}
			if _, err := im.inflate(s, false, &budget); !errors.Is(err, errSize) {
				t.Errorf("%v, %d bytes: %v", kind, size, err)
			}
		}
	}
}

// Equal files share what was found out about them; a stripped copy has the same
// build ID and is not equal.
func TestFramesAreSharedByBuild(t *testing.T) {
	s := splitUp(t)
	y, bare := s.with(t, Options{Dirs: []string{}})
	if err := os.WriteFile(s.whole+"2", read(t, s.whole), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := y.Module("/a", open(t, s.whole)), y.Module("/b", open(t, s.whole+"2"))
	if a == b || a.cache() != b.cache() || a.cache() == bare.cache() {
		t.Error("the wrong modules share a cache")
	}
	fs := a.Frames(s.at, true)
	fs[0].Function = "changed by the caller"
	if got := b.Frames(s.at, true)[0]; got.Function != "twice" || got.Module != "/b" {
		t.Errorf("%+v", got)
	}
	if got := bare.Frames(s.at, true)[0].Function; got != "" {
		t.Errorf("got %q", got)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Frames may be asked for by many at once.
func TestConcurrentFrames(t *testing.T) {
	s := splitUp(t)
	y, _ := s.with(t, Options{Dirs: []string{}})
	m := y.Module("/a", open(t, s.whole))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for off := s.at - 64; off < s.at+64; off++ {
				m.Frames(off, true)
				y.Missing()
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
}
