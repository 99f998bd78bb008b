package unwind

import (
	"debug/elf"
	"encoding/binary"
	"testing"
)

// FuzzBuild gives Build hostile files: it must not crash, and memory and rows
// are bounded by the file's size.
func FuzzBuild(f *testing.F) {
	var w frameWriter
	w.common("zRS", []byte{0x1b}, 16, start...)
	w.function(0x10100, 0x100, opAdvance|1, opDefCFAOff, 16, opOffset|6, 2, opRemember, opAdvance|3, opDefCFAReg, 6, opRecall)
	w.end()
	f.Add(makeELF(elf.EM_X86_64, 0x40000, w.b))
	w = frameWriter{}
	w.common("zRB", []byte{0}, 30, opDefCFA, 31, 0)
	w.function(0x10100, 0x100, opNegateRA, opAdvance4, 0, 0, 1, 0, opDefCFAExpr, 3, 0x76, 0x78, 0x06)
	f.Add(makeELF(elf.EM_AARCH64, 0x40000, w.b))
	f.Fuzz(func(t *testing.T, b []byte) {
		infos := NewInfos()
		table, err := buildBytes(b, infos)
		if err != nil {
			return
		}
		checkTable(t, table, infos, len(b))
	})
}

// FuzzInstructions runs instructions as those of a function and of its CIE.
func FuzzInstructions(f *testing.F) {
	f.Add(start, []byte{opAdvance | 1, opDefCFAOff, 16, opOffset | 6, 2}, false)
	f.Add([]byte{opDefCFA, 31, 0}, []byte{opNegateRA, opSetLoc, 0, 0, 1, 0, 0, 0, 0, 0, opExpr, 29, 2, 0x8d, 0}, true)
	f.Fuzz(func(t *testing.T, common, function []byte, arm bool) {
		var w frameWriter
		m, ra := elf.EM_X86_64, byte(16)
		if arm {
			m, ra = elf.EM_AARCH64, 30
		}
		w.common("", nil, ra, common...)
		w.function(0x10100, 0x20000, function...)
		w.function(0x10100, 0x20008, function...)
		b := makeELF(m, 0x40000, w.b)
		infos := NewInfos()
		if table, err := buildBytes(b, infos); err == nil {
			checkTable(t, table, infos, len(b))
		}
	})
}

// checkTable checks the format, and that a table of a file of size bytes is no
// larger than that allows.
func checkTable(t *testing.T, table *Table, infos *Infos, size int) {
	t.Helper()
	c := table.Chunks()
	pages, rows := uint64(c[0][1]), 0
	if pages > maxPages || len(c) > maxChunks {
		t.Fatalf("%d pages, %d chunks", pages, len(c))
	}
	for page := range pages {
		place, n := c[0][2+2*page], c[0][3+2*page]
		got := c[place>>16][place&0xffff:][:n]
		rows += len(got)
		if n == 0 || uint16(got[0]) != 0 {
			t.Fatalf("page %d: %d rows, no first one", page, n)
		}
		for i, row := range got {
			if i > 0 && (uint16(got[i-1]) >= uint16(row) || got[i-1]>>16 == row>>16) {
				t.Fatalf("page %d, row %d: %#x behind %#x", page, i, row, got[i-1])
			}
			if int(row>>16) >= len(infos.From(0)) {
				t.Fatalf("page %d, row %d: %#x has no info", page, i, row)
			}
			addr := (uint64(c[0][0])+page)<<16 | uint64(row&0xffff)
			if x, ok := table.Find(addr); !ok || x != Index(row>>16) {
				t.Fatalf("at %#x: %d, %v, want %d", addr, x, ok, row>>16)
			}
		}
	}
	if rows > size+2*int(pages) || len(c) > 2+2*(rows+2*int(pages))/ChunkWords {
		t.Fatalf("%d rows in %d chunks from %d bytes", rows, len(c), size)
	}
}

// FuzzWriter compares a table with the simplest possible one: an array of the
// rule at every address.
func FuzzWriter(f *testing.F) {
	f.Add([]byte{1, 0, 1, 2, 0, 2, 0, 0, 3, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		const begin, end = 0x2fff0, 0x60000
		var stats Stats
		w, err := newWriter(begin, end, &stats)
		if err != nil {
			t.Fatal(err)
		}
		model := make([]Index, end-begin)
		at := uint64(0)
		for ; len(b) >= 3; b = b[3:] {
			at += uint64(binary.LittleEndian.Uint16(b))
			if at >= uint64(len(model)) {
				break
			}
			x := Index(b[2] % 8)
			w.add(begin+at, x)
			for i := at; i < uint64(len(model)); i++ {
				model[i] = x
			}
		}
		table := Table{chunks: w.finish()}
		for i, want := range model {
			if got, ok := table.Find(begin + uint64(i)); !ok || got != want {
				t.Fatalf("at %#x: %d, %v, want %d", begin+i, got, ok, want)
			}
		}
		for _, addr := range []uint64{0, begin - 0x10000, end, 1 << 63} {
			if x, ok := table.Find(addr); ok {
				t.Fatalf("at %#x: %d", addr, x)
			}
		}
	})
}
