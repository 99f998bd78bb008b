package unwind

import (
	"bytes"
	"io"

	"github.com/mmtrace/mmtrace/internal/symbol"
)

// sigreturn is where a handler returns to on arm64: mov x8, #139; svc #0. It is
// in the vDSO, which has no call frame information for it, on purpose: unwinders
// are to know it by its code (arch/arm64/kernel/vdso/sigreturn.S).
var sigreturn = []byte{0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4}

// maxTrampolineText is the size of the largest text that is searched: more than
// that of any vDSO.
const maxTrampolineText = 64 << 10

// trampolines returns an entry for every sigreturn in an arm64 file with little
// text. It begins one byte early, because a return address counts as the byte
// before it.
func (b *builder) trampolines(r io.ReaderAt, text []symbol.Segment) (list []entry) {
	if b.arch != &arm64 {
		return nil
	}
	b.commons = append(b.commons, common{signal: true})
	signal := int32(len(b.commons) - 1)
	for _, s := range text {
		if s.File > maxTrampolineText || s.Off > 1<<62 {
			continue
		}
		code := make([]byte, s.File)
		n, _ := r.ReadAt(code, int64(s.Off))
		for i := 0; ; {
			at := bytes.Index(code[i:n], sigreturn)
			if at < 0 {
				break
			}
			i += at + len(sigreturn)
			end := s.Addr + uint64(i)
			list = append(list, entry{begin: end - uint64(len(sigreturn)) - 1, end: end, common: signal})
		}
	}
	return list
}
