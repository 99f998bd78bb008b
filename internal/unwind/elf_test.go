package unwind

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// textAt is where the text of makeELF begins.
const textAt = 0x10000

// makeELF returns a file without sections: size bytes of text that are not in
// the file, and .eh_frame, which is found through PT_GNU_EH_FRAME.
func makeELF(m elf.Machine, size uint64, frames []byte) []byte {
	const header, programs, at = 64, 3 * 56, 0x100
	var b bytes.Buffer
	le := binary.LittleEndian
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(m), Version: 1, Phoff: header, Ehsize: header, Phentsize: 56, Phnum: 3}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	total := uint64(at + 8 + len(frames))
	binary.Write(&b, le, h)
	binary.Write(&b, le, []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Filesz: total, Memsz: total},
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: textAt, Memsz: size},
		{Type: uint32(elf.PT_GNU_EH_FRAME), Flags: uint32(elf.PF_R), Off: at, Vaddr: at, Filesz: 8, Memsz: 8},
	})
	b.Write(make([]byte, at-b.Len()))
	b.Write([]byte{1, 0x1b, 0xff, 0xff, 4, 0, 0, 0}) // .eh_frame is 4 bytes behind its pointer
	b.Write(frames)
	return b.Bytes()
}

// A frameWriter writes .eh_frame.
type frameWriter struct {
	b   []byte
	cie int
}

// common writes a CIE with absolute 8-byte pointers.
func (w *frameWriter) common(letters string, data []byte, ra byte, code ...byte) {
	w.cie = len(w.b)
	body := append([]byte{0, 0, 0, 0, 1}, letters...)
	body = append(body, 0, 1, 0x78, ra) // code alignment 1, data alignment -8
	if letters != "" {
		body = append(append(body, byte(len(data))), data...)
	}
	w.entry(append(body, code...))
}

// function writes an FDE that refers to the last CIE.
func (w *frameWriter) function(begin, size uint64, code ...byte) {
	le := binary.LittleEndian
	body := le.AppendUint32(nil, uint32(len(w.b)+4-w.cie))
	body = le.AppendUint64(le.AppendUint64(body, begin), size)
	if len(w.b) > w.cie && w.sized() {
		body = append(body, 0)
	}
	w.entry(append(body, code...))
}

// sized says whether entries have the size of their augmentation data.
func (w *frameWriter) sized() bool { return w.b[w.cie+9] == 'z' }

func (w *frameWriter) entry(body []byte) {
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(body)))
	w.b = append(w.b, body...)
}

// end writes the terminator.
func (w *frameWriter) end() { w.b = append(w.b, 0, 0, 0, 0) }
