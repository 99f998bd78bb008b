package symbol

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// Limits on .gnu_debugdata, in bytes: of the section, and of what is in it.
const (
	maxMini     = 32 << 20
	maxMiniSize = 64 << 20
	maxMiniDict = 64 << 20
)

// readMini reads the symbols of .gnu_debugdata, a small ELF file packed with
// xz. It holds the functions that are not in .dynsym. Without one the list is
// empty.
func (im *image) readMini() (*symbols, error) {
	s := im.plain(".gnu_debugdata")
	if s == nil {
		return &symbols{}, nil
	}
	packed, err := im.src.bytes(s.Offset, s.FileSize, maxMini)
	if err != nil {
		return nil, fmt.Errorf("reading .gnu_debugdata: %w", err)
	}
	b, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking .gnu_debugdata: %w", err)
	}
	mini, err := newImage(&store{r: bytes.NewReader(b), size: uint64(len(b))})
	if err != nil {
		return nil, fmt.Errorf("reading .gnu_debugdata: %w", err)
	}
	return mini.readFullSymbols()
}

// errXZ means that a stream is of a form that is not read.
var errXZ = errors.New("no xz stream of a known form")

// unpack unpacks the first block of an xz stream, which is all that tools make
// of so few bytes. The stream is read here and not by a package for it, because
// those allocate the dictionary that a block asks for, up to 4 GB.
func unpack(packed []byte) ([]byte, error) {
	dict, body, err := blockHeader(packed)
	if err != nil {
		return nil, err
	}
	r, err := lzma.Reader2Config{DictCap: dict}.NewReader2(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxMiniSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxMiniSize {
		return nil, errSize
	}
	return b, nil
}

// blockHeader reads the headers of a stream and of its first block: one filter,
// LZMA2, with the size of the dictionary as its one byte of properties. See The
// .xz File Format, sections 2.1.1, 3.1 and 5.3.1.
func blockHeader(packed []byte) (dict int, body []byte, err error) {
	const stream, hasPacked, hasSize, filters, lzma2 = 12, 0x40, 0x80, 0x03, 0x21
	if len(packed) < stream+1 || !bytes.HasPrefix(packed, []byte("\xfd7zXZ\x00")) {
		return 0, nil, errXZ
	}
	c := cursor{b: packed[stream:]}
	size := 4 * (int(c.u8()) + 1)
	flags := c.u8()
	for _, f := range []uint64{hasPacked, hasSize} {
		if flags&f != 0 {
			c.uleb()
		}
	}
	id, n, bits := c.uleb(), c.uleb(), uint(c.u8())
	if c.bad || flags&filters != 0 || id != lzma2 || n != 1 || size > len(c.b) {
		return 0, nil, errXZ
	}
	if bits > 40 || uint64(2|bits&1)<<(bits/2+11) > maxMiniDict {
		return 0, nil, fmt.Errorf("dictionary: %w", errSize)
	}
	return int(2|bits&1) << (bits/2 + 11), c.b[size:], nil
}
