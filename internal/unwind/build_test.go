package unwind

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// start is what compilers begin a CIE with: CFA = sp + 8, return address there.
var start = []byte{opDefCFA, 7, 8, opOffset | 16, 1}

// TestBuild has a picture of the rows for each behaviour.
func TestBuild(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(w *frameWriter)
		want string
	}{
		{"a function that pushes rbp and makes it the base", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x100, opAdvance|1, opDefCFAOff, 16, opOffset|6, 2, opAdvance|3, opDefCFAReg, 6, opAdvance1, 0x80, opDefCFA, 7, 8)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10101 sp+16 ra-8 fp cfa-16
			10104 fp+16 ra-8 fp cfa-16
			10184 sp+8 ra-8 fp cfa-16
			10200 gap`},
		{"a rule that is restored is that of the CIE", func(w *frameWriter) {
			w.common("", nil, 16, append([]byte{opOffset | 6, 3}, start...)...)
			w.function(0x10100, 0x20, opSameValue, 6, opAdvance|1, opRestore|6)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10101 sp+8 ra-8 fp cfa-24
			10120 gap`},
		{"remembered states come back whole", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x20, opDefCFAOff, 32, opRemember, opAdvance|1, opDefCFA, 6, 16, opAdvance|1, opRecall)
		}, `
			10000 gap
			10100 sp+32 ra-8
			10101 fp+16 ra-8
			10102 sp+32 ra-8
			10120 gap`},
		{"what aligns the next function is no gap, more than that is one", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x11)
			w.function(0x10120, 0x10)
			w.function(0x10141, 0x8)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10130 gap
			10141 sp+8 ra-8
			10149 gap`},
		{"of overlapping functions the one that begins first wins", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x20)
			w.function(0x10110, 0x20, opDefCFAOff, 16, opAdvance|8, opDefCFAOff, 24)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10120 sp+24 ra-8
			10130 gap`},
		{"functions are sorted", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10110, 0x10, opDefCFAOff, 16)
			w.function(0x10100, 0x10)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10110 sp+16 ra-8
			10120 gap`},
		{"a bad instruction costs the rest of its function", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x10, opAdvance|4, 0x3f)
			w.function(0x10110, 0x10)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10104 unsupported
			10110 sp+8 ra-8
			10120 gap`},
		{"unknown letters behind z are skipped", func(w *frameWriter) {
			w.common("zB?", []byte{1, 2, 3}, 16, start...)
			w.function(0x10100, 0x10)
			w.common("eh", nil, 16, start...)
			w.function(0x10110, 0x10)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10110 gap`},
		{"signal frames and roots", func(w *frameWriter) {
			w.common("zS", nil, 16, start...)
			w.function(0x10100, 0x10)
			w.common("", nil, 16, start...)
			w.function(0x10110, 0x10, opUndefined, 16)
		}, `
			10000 gap
			10100 signal
			10110 root
			10120 gap`},
		{"expressions: a PLT, and a realigned frame", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x10100, 0x20, opDefCFAExpr, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22)
			w.function(0x10120, 0x20, opDefCFAExpr, 3, 0x76, 0x78, 0x06, opExpr, 6, 2, 0x76, 0,
				opAdvance|1, opDefCFA, 10, 0, opAdvance|1, opDefCFAExpr, 1, 0x96)
		}, `
			10000 gap
			10100 plt 11 ra-8
			10120 *(fp-8)+0 fp *(fp+0)
			10121 unsupported
			10140 gap`},
		{"a rule goes on in the next page", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0x1fff0, 0x20010, opAdvance|8, opDefCFAOff, 16, opAdvance4, 0, 0, 2, 0, opDefCFAOff, 24)
		}, `
			10000 gap
			1fff0 sp+8 ra-8
			1fff8 sp+16 ra-8
			20000 sp+16 ra-8
			30000 sp+16 ra-8
			3fff8 sp+24 ra-8`},
		{"nothing counts behind the terminator, or outside of the text", func(w *frameWriter) {
			w.common("", nil, 16, start...)
			w.function(0, 0x10)
			w.function(0x10100, 0x10)
			w.function(0x4fff8, 0x10)
			w.end()
			w.function(0x10110, 0x10)
		}, `
			10000 gap
			10100 sp+8 ra-8
			10110 gap`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w frameWriter
			c.make(&w)
			infos := NewInfos()
			got, err := buildBytes(makeELF(elf.EM_X86_64, 0x40000, w.b), infos)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(strings.TrimPrefix(c.want, "\n"), "\t", "") + "\n"
			if d := cmp.Diff(want, picture(got, infos)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

func buildBytes(b []byte, infos *Infos) (*Table, error) {
	return Build(bytes.NewReader(b), int64(len(b)), infos)
}

// picture returns a line for each row of t.
func picture(t *Table, infos *Infos) string {
	var b strings.Builder
	c := t.Chunks()
	for page := range uint64(c[0][1]) {
		place, n := c[0][2+2*page], c[0][3+2*page]
		for _, row := range c[place>>16][place&0xffff:][:n] {
			addr := (uint64(c[0][0])+page)<<16 | uint64(row&0xffff)
			fmt.Fprintf(&b, "%x %s\n", addr, show(infos.At(Index(row>>16))))
		}
	}
	return b.String()
}

func show(in Info) string {
	base := []string{"sp", "fp"}[in.Base]
	s := ""
	switch in.Kind {
	case Reg:
		s = fmt.Sprintf("%s%+d", base, in.Off)
	case PLT:
		s = fmt.Sprintf("plt %d", in.Off)
	case Deref:
		s = fmt.Sprintf("*(%s%+d)%+d", base, in.Off, in.Off2)
	default:
		return []string{Gap: "gap", Signal: "signal", Root: "root", FramePointer: "frame pointer", Unsupported: "unsupported"}[in.Kind]
	}
	if in.Link != 0 {
		s += " ra in lr"
	} else if in.Kind != Deref {
		s += fmt.Sprintf(" ra%+d", in.Off2)
	}
	switch in.FP {
	case FPAtCFA:
		s += fmt.Sprintf(" fp cfa%+d", in.FPOff)
	case FPAtFP:
		s += fmt.Sprintf(" fp *(fp%+d)", in.FPOff)
	case FPLost:
		s += " fp lost"
	}
	return s
}

// On arm64 the return address is in a register until it is stored, the sign
// bit of it changes, and frame records lie at the lower end of a frame.
func TestBuildArm64(t *testing.T) {
	var w frameWriter
	w.common("zRB", []byte{0}, 30, opDefCFA, 31, 0)
	w.function(0x10100, 0x40, opNegateRA, opAdvance|4, opDefCFAOff, 0x40, opOffset|29, 8, opOffset|30, 7, opAdvance|4, opDefCFAReg, 29,
		opAdvance|4, opRestore|29, opRestore|30, opDefCFA, 31, 0, opAdvance|4, opUndefined, 30)
	infos := NewInfos()
	got, err := buildBytes(makeELF(elf.EM_AARCH64, 0x1000, w.b), infos)
	if err != nil {
		t.Fatal(err)
	}
	want := `10000 gap
10100 sp+0 ra in lr
10104 sp+64 ra-56 fp cfa-64
10108 fp+64 ra-56 fp cfa-64
1010c sp+0 ra in lr
10110 root
10140 gap
`
	if d := cmp.Diff(want, picture(got, infos)); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestBuildErrors(t *testing.T) {
	var w frameWriter
	w.common("", nil, 16, start...)
	w.function(textAt, 0x10)
	w.function(0x30000000, 0x10)
	for _, c := range []struct {
		file []byte
		want error
	}{
		{makeELF(elf.EM_X86_64, 0x1000, nil), ErrNoTable},
		{makeELF(elf.EM_RISCV, 0x1000, w.b), ErrMachine},
		{makeELF(elf.EM_X86_64, 0x40000000, w.b), ErrTooLarge},
	} {
		if _, err := buildBytes(c.file, NewInfos()); !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
}

// Infos that find no room stop a walk; nothing takes the place of another.
func TestInfosFull(t *testing.T) {
	infos := NewInfos()
	for i := range int32(MaxInfos) {
		infos.intern(Info{Kind: Reg, Off: i})
	}
	if n := len(infos.From(0)); n != MaxInfos || infos.Dropped() != 2 {
		t.Errorf("%d infos, %d dropped", n, infos.Dropped())
	}
	if x := infos.intern(Info{Kind: Reg, Off: -1}); infos.At(x).Kind != Unsupported {
		t.Errorf("one too many is %+v", infos.At(x))
	}
}

// A segment is mapped in parts; each leads to the address that the file has.
func TestBias(t *testing.T) {
	var w frameWriter
	w.common("", nil, 16, start...)
	w.function(0x10100, 0x10)
	b := makeELF(elf.EM_X86_64, 0x40000, w.b)
	const text = 64 + 56               // its program header
	b[text+9], b[text+33] = 0x20, 0x30 // at file offset 0x2000, 0x3000 bytes
	table, err := buildBytes(b, NewInfos())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ start, off, want uint64 }{
		{0x555500010000, 0x2000, 0x555500000000},
		{0x555500012000, 0x4000, 0x555500000000},
	} {
		if got, ok := table.Bias(c.start, c.off); !ok || got != c.want {
			t.Errorf("bias of %#x at %#x: %#x, %v", c.start, c.off, got, ok)
		}
	}
	if _, ok := table.Bias(0x555500000000, 0x5000); ok {
		t.Error("a bias for what is no text")
	}
}

// One file does not take the room of all others.
func TestInfosOfFile(t *testing.T) {
	b := builder{infos: NewInfos(), known: map[Info]Index{}}
	for i := range int32(2 * maxFileInfos) {
		b.intern(Info{Kind: Reg, Off: i})
	}
	if n := len(b.infos.From(0)); n > maxFileInfos+2 {
		t.Errorf("%d infos", n)
	}
	if x := b.intern(Info{Kind: Reg, Off: 7}); b.infos.At(x) != (Info{Kind: Reg, Off: 7}) {
		t.Errorf("an early one became %+v", b.infos.At(x))
	}
}
