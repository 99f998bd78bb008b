package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// exercise asks a module all there is to ask, at offsets all over the file,
// before and after its file is closed.
func exercise(m *Module, step uint64) {
	for range 2 {
		_ = m.Err()
		_ = m.BuildID()
		for off := uint64(0); off < m.src.size+2; off += step {
			_ = m.Frames(off, true)
		}
		_ = m.Frames(^uint64(0), false)
		m.detach()
	}
}

func bytesModule(b []byte) *Module { return newModule("/x", bytes.NewReader(b), int64(len(b))) }

// tinyELF returns an executable that is all in one piece of 64-bit segments
// without sections: body is mapped for reading, then for writing, and pages of
// code are claimed at the addresses from 0x400000 on.
func tinyELF(body []byte) []byte {
	const head, ph = 64, 56
	b := make([]byte, head+4*ph, head+4*ph+len(body))
	copy(b, elf.ELFMAG+"\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[16:], uint16(elf.ET_EXEC))
	le.PutUint16(b[18:], uint16(elf.EM_X86_64))
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[32:], head)
	le.PutUint16(b[54:], ph)
	le.PutUint16(b[56:], 4)
	put := func(i int, typ elf.ProgType, flags elf.ProgFlag, addr uint64) {
		p := b[head+i*ph:]
		le.PutUint32(p, uint32(typ))
		le.PutUint32(p[4:], uint32(flags))
		le.PutUint64(p[8:], head+4*ph)
		le.PutUint64(p[16:], addr)
		le.PutUint64(p[32:], uint64(len(body)))
		le.PutUint64(p[40:], uint64(len(body)))
		le.PutUint64(p[48:], 8)
	}
	put(0, elf.PT_LOAD, elf.PF_R|elf.PF_W, 0x500000)
	put(1, elf.PT_LOAD, elf.PF_R|elf.PF_X, 0x400000)
	put(2, elf.PT_GNU_EH_FRAME, elf.PF_R, 0x500000)
	put(3, elf.PT_DYNAMIC, elf.PF_R, 0x500000)
	return append(b, body...)
}

// tinyPclntab returns a table of one function, main.f at [0x10,0x20).
func tinyPclntab(magic uint32, text uint64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, magic)
	b = append(b, 0, 0, 1, 8)
	for _, w := range []uint64{1, 1, text, 72, 80, 88, 96, 112} {
		b = le.AppendUint64(b, w)
	}
	b = append(b, "main.f\x00\x00"...)                               // names, 72
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)                            // units, 80
	b = append(b, "main.go\x00"...)                                  // files, 88
	b = append(b, 0, 2, 16, 0, 14, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // values, 96: 0 at 1, 6 at 4
	for _, w := range []uint32{0x10, 12, 0x20, 0x10, 0, 0, 0, 1, 1, 4, 0, 0, 1, 0} {
		b = le.AppendUint32(b, w)
	}
	return b
}

func TestTinyPclntab(t *testing.T) {
	m := bytesModule(tinyELF(tinyPclntab(magic120, 0x400000)))
	g, err := m.golang()
	if err != nil || !g.covers(0x400012) {
		t.Fatal(g, err)
	}
	f := g.frames(0x400012)[0]
	if f.Function != "main.f" || f.Start != 2 || f.File != "main.go" || f.Line != 6 {
		t.Errorf("%+v", f)
	}
}

// Whatever is cut off or turned over in a real file, the package neither
// panics nor takes memory that the file does not justify.
func TestDamagedFiles(t *testing.T) {
	dir := source(t, "p.cc", cxxProgram)
	run(t, dir, "g++", "-O1", "-o", "p", "p.cc")
	whole, err := os.ReadFile(filepath.Join(dir, "p"))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := 0; n < len(whole); n += len(whole)/60 + 1 {
		exercise(bytesModule(whole[:n]), 499)
	}
	im, err := bytesModule(whole).image()
	if err != nil {
		t.Fatal(err)
	}
	spots := []uint64{4, 5, 18, 32, 40, 54, 56, 58, 60, 62}
	for _, p := range im.Progs {
		spots = append(spots, p.Off, p.Off+4, p.Off+8)
	}
	for i := range uint64(len(im.Progs)) {
		spots = append(spots, 64+56*i, 64+56*i+8, 64+56*i+16, 64+56*i+32)
	}
	for _, at := range spots {
		b := bytes.Clone(whole)
		for i := at; i < min(at+8, uint64(len(b))); i++ {
			b[i] = ^b[i]
		}
		exercise(bytesModule(b), 997)
	}
	runtime.ReadMemStats(&after)
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 4096 {
		t.Errorf("%d MB in all", mb)
	}
}

func FuzzModule(f *testing.F) {
	f.Add(tinyELF(nil))
	for _, magic := range []uint32{magic116, magic118, magic120} {
		f.Add(tinyELF(tinyPclntab(magic, 0x400000)))
	}
	if gcc, err := exec.LookPath("gcc"); err == nil {
		dir := source(f, "p.c", "int f(int a) { return a; }\n")
		cmd := exec.Command(gcc, "-O2", "-shared", "-nostdlib", "-Wl,-z,noseparate-code", "-o", "p.so", "p.c")
		cmd.Dir = dir
		if cmd.Run() == nil {
			b, err := os.ReadFile(filepath.Join(dir, "p.so"))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			f.Add(bytes.Clone(b[:len(b)/2]))
		}
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		exercise(bytesModule(b), uint64(len(b)/64+1))
	})
}
