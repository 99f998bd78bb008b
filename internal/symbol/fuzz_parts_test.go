package symbol

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// memory returns a store that holds b.
func memory(b []byte) *store { return &store{r: bytes.NewReader(b), size: uint64(len(b))} }

// FuzzLines runs a line program with the strings that it names.
func FuzzLines(f *testing.F) {
	fuzzObjects(f, func(path string) {
		e, err := elf.Open(path)
		must(f, err)
		defer e.Close()
		var p [3][]byte
		for i, name := range []string{".debug_line", ".debug_line_str", ".debug_str"} {
			if s := e.Section(name); s != nil {
				p[i], err = s.Data()
				must(f, err)
			}
		}
		f.Add(p[0], p[1], p[2])
	})
	f.Fuzz(func(t *testing.T, line, lineStr, str []byte) {
		d := newDWARF(true)
		d.line, d.lineStr, d.str = memory(line), memory(lineStr), memory(str)
		head := unitHead{layout: layout{version: 5, offSize: 4, addrSize: 8, little: true}}
		u := &unit{unitHead: &head, d: d, lines: &lineTable{}}
		u.readLines(0)
		for i, r := range u.lines.rows {
			u.position(r.addr)
			u.file(uint64(r.file))
			if i > 256 {
				break
			}
		}
		if n := len(u.lines.rows); n > maxLineRows+1 || n > 1<<10 && n > 64*len(line) {
			t.Errorf("%d rows of %d bytes", n, len(line))
		}
	})
}

// FuzzGo reads a pclntab, and all of its functions.
func FuzzGo(f *testing.F) {
	for _, magic := range []uint32{magic116, magic118, magic120} {
		f.Add(tinyPclntab(magic, 0x400000))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := bytesModule(tinyELF(b))
		exercise(m, uint64(len(b)/32+1))
		code, err := ReadCode(bytes.NewReader(tinyELF(b)), int64(len(tinyELF(b))))
		if err != nil || code.Go == nil {
			return
		}
		n := 0
		code.Go.Functions(func(start uint64, name string) {
			if n++; n < 64 {
				code.Go.Depth(start)
			}
			if len(name) > 64 {
				t.Errorf("a name of %d bytes", len(name))
			}
		})
		if n > len(b) {
			t.Errorf("%d functions in %d bytes", n, len(b))
		}
	})
}

// FuzzFrames looks addresses up in .eh_frame_hdr and .eh_frame.
func FuzzFrames(f *testing.F) {
	fuzzObjects(f, func(path string) {
		e, err := elf.Open(path)
		must(f, err)
		defer e.Close()
		hdr, frames := e.Section(".eh_frame_hdr"), e.Section(".eh_frame")
		if hdr == nil || frames == nil || frames.Offset < hdr.Offset {
			return
		}
		b, err := os.ReadFile(path)
		must(f, err)
		f.Add(b[hdr.Offset : frames.Offset+frames.Size])
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := bytesModule(tinyELF(b)).image()
		must(t, err)
		c, err := im.findCFI()
		if err != nil {
			return
		}
		for i := range uint64(64) {
			addr := 0x500000 + i*uint64(len(b)/64+1)
			if e, ok := c.entry(addr); ok && !e.Cover(addr) {
				t.Errorf("%#x: an entry for [%#x,%#x)", addr, e.Begin(), e.End())
			}
		}
	})
}

// FuzzLinks gives hostile links to debug files: one by name may only lead where
// debug files are, and none may open anything but what Root and Dirs allow.
func FuzzLinks(f *testing.F) {
	f.Add([]byte("p.debug\x00abcd"), []byte("../.dwz/x\x00\x01\x02\x03\x04"), "/usr/bin/p")
	f.Add([]byte("../p\x00\x00\x00\x00abcd"), []byte("/a\x00\x01\x02"), "..")
	f.Fuzz(func(t *testing.T, link, alt []byte, module string) {
		var asked []string
		s := NewWith(Options{Dirs: []string{"/none"}, Root: func(p string) (*os.File, error) {
			asked = append(asked, p)
			return nil, os.ErrNotExist
		}})
		b := append(bytes.Clone(link), alt...)
		im := &image{src: memory(b), File: &elf.File{FileHeader: elf.FileHeader{Data: elf.ELFDATA2LSB}}}
		for i, name := range []string{".gnu_debuglink", ".gnu_debugaltlink"} {
			h := elf.SectionHeader{Name: name, Type: elf.SHT_PROGBITS, Offset: uint64(i * len(link)), FileSize: uint64([]int{len(link), len(alt)}[i])}
			im.Sections = append(im.Sections, &elf.Section{SectionHeader: h})
		}
		_, _ = s.search(module, "", im)
		dir := path.Dir(path.Clean("/" + module))
		for _, p := range asked {
			if d := path.Dir(p); d != dir && d != path.Join(dir, ".debug") && d != path.Join("/none", dir) {
				t.Errorf("%q asks for %q", module, p)
			}
		}
		s.shared(im)
		for _, p := range asked {
			if path.Clean(p) != p || !strings.HasPrefix(p, "/") {
				t.Errorf("%q asks for %q", module, p)
			}
		}
	})
}

// FuzzSplit reads a file of split units or a package of them, and joins each unit
// with a skeleton.
func FuzzSplit(f *testing.F) {
	for _, version := range []string{"-gdwarf-4", "-gdwarf-5"} {
		for _, cxx := range []string{"g++", "clang++-19"} {
			dir := source(f, "p.cc", fuzzProgram)
			for _, argv := range [][]string{{cxx, "-O2", "-c", "-gsplit-dwarf", version, "p.cc"}, {"llvm-dwp-19", "-o", "p.dwp", "p.dwo"}} {
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Dir = dir
				if cmd.Run() != nil {
					continue
				}
			}
			for _, name := range []string{"p.dwo", "p.dwp"} {
				if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
					f.Add(b)
				}
			}
		}
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		im, err := newImage(memory(b))
		if err != nil {
			return
		}
		var all []*dwarfFile
		if d, err := im.readDWO(); err == nil {
			all = append(all, d)
		}
		budget := uint64(maxInflated)
		if s, err := im.indexSection(&budget); err == nil {
			p := peek{store: s, little: im.little()}
			for i := range uint64(8) {
				if d, err := im.packaged(p.word(16+8*i, 8)); err == nil {
					all = append(all, d)
				}
			}
		}
		for _, d := range all {
			joinAll(d)
		}
	})
}

// joinAll asks every unit of d for frames.
func joinAll(d *dwarfFile) {
	for i := range d.heads {
		u, err := d.unit(uint32(i))
		if err != nil {
			continue
		}
		bones := newDWARF(d.little)
		bones.addr = memory(bytes.Repeat([]byte{0, 16, 0, 0, 0, 0, 0, 0}, 64))
		bones.ranges = d.info
		skeleton := &unit{unitHead: &unitHead{layout: u.layout}, d: bones, root: u.root, lines: &lineTable{}}
		skeleton.id = u.id
		if u, err = d.find(skeleton); err != nil {
			continue
		}
		for _, addr := range []uint64{0x1000, 0x1001, 0x1010, 0x1040} {
			u.frames(addr)
		}
	}
}
