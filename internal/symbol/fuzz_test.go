package symbol

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// fuzzProgram has inlined calls, ranges that are not in one piece, and names of
// all forms.
const fuzzProgram = `
namespace a { struct S { int n; template <class T> T get(T t) { return t * n; } }; }
int hidden(int);
static inline __attribute__((always_inline)) int one(int n) { a::S s{n}; return s.get(n) + hidden(n); }
static inline __attribute__((always_inline)) int two(int n) { return n > 3 ? one(n) : one(-n) * n; }
__attribute__((cold, noinline)) void rare(int n) { hidden(n); }
int many(int n) { if (n == 77) { rare(n); __builtin_trap(); } auto f = [&](int k) { return two(k + n); }; return f(n) + two(n) + one(2 * n); }
`

// debugParts are the sections of a dwarfFile in the order of the fuzz target's
// arguments.
var debugParts = []string{"info", "abbrev", "line", "line_str", "str", "str_offsets", "addr", "ranges", "rnglists", "aranges"}

// fuzzObjects builds fuzzProgram in several ways and calls fn with each.
func fuzzObjects(f *testing.F, fn func(path string)) {
	for _, compiler := range []string{"g++", "clang++-19"} {
		cxx, err := exec.LookPath(compiler)
		if err != nil {
			continue
		}
		for _, v := range []string{"-gdwarf-4", "-gdwarf-5", "-gsplit-dwarf"} {
			dir := source(f, "p.cc", fuzzProgram)
			cmd := exec.Command(cxx, "-O2", "-shared", "-fPIC", "-nostdlib", v, "-o", "p.so", "p.cc")
			cmd.Dir = dir
			if cmd.Run() == nil {
				fn(filepath.Join(dir, "p.so"))
			}
		}
	}
}

// FuzzDWARF reads debug information that is made of the given sections, and
// asks for the frames of every address that it names.
func FuzzDWARF(f *testing.F) {
	fuzzObjects(f, func(path string) {
		e, err := elf.Open(path)
		if err != nil {
			f.Fatal(err)
		}
		defer e.Close()
		p := make([][]byte, len(debugParts))
		for i, name := range debugParts {
			if s := e.Section(".debug_" + name); s != nil {
				if p[i], err = s.Data(); err != nil {
					f.Fatal(err)
				}
			}
		}
		f.Add(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9])
	})
	f.Fuzz(func(t *testing.T, info, abbrev, line, lineStr, str, strOffsets, addr, ranges, rngs, aranges []byte) {
		begin := time.Now()
		mem := func(b []byte) *store { return &store{r: bytes.NewReader(b), size: uint64(len(b))} }
		d := &dwarfFile{
			little: true, units: map[uint32]*unit{}, names: map[uint64]naming{}, parts: map[uint32]fragment{},
			abbrev: mem(abbrev), aranges: mem(aranges), info: mem(info), line: mem(line), lineStr: mem(lineStr),
			str: mem(str), strOffsets: mem(strOffsets), addr: mem(addr), ranges: mem(ranges), rngs: mem(rngs),
		}
		if d.outline() != nil {
			return
		}
		for i, s := range d.index {
			for _, a := range []uint64{s.lo, s.lo + (s.hi-s.lo)/2, s.hi - 1} {
				_, _ = d.frames(a)
			}
			if i > 64 {
				break
			}
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// FuzzDebugFile damages whole files that have debug information.
func FuzzDebugFile(f *testing.F) {
	fuzzObjects(f, func(path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		begin := time.Now()
		exercise(bytesModule(b), uint64(len(b)/64+1))
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// FuzzMini unpacks what may be an xz stream.
func FuzzMini(f *testing.F) {
	if xz, err := exec.LookPath("xz"); err == nil {
		for _, arg := range []string{"-1", "-6", "--block-size=64"} {
			cmd := exec.Command(xz, "-c", arg)
			cmd.Stdin = bytes.NewReader(tinyELF(bytes.Repeat([]byte("symbols"), 100)))
			if b, err := cmd.Output(); err == nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := unpack(b); err == nil && len(out) > maxMiniSize {
			t.Errorf("%d bytes", len(out))
		}
	})
}
