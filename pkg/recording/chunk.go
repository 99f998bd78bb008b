package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Types of chunks. A reader passes over those that it does not know.
const (
	chunkHeader = 'H' // Header, JSON
	chunkEvents = 'E' // events in the binary form; each chunk stands for itself
	chunkFacts  = 'F' // report.Facts, JSON
	chunkStacks = 'S' // frames of stacks; several add up
	chunkEnd    = 'Z' // counts
)

// Sizes in bytes.
const (
	fileHead   = len(Magic) + 4
	chunkHead  = 5 // type and length
	chunkTail  = 4 // checksum
	maxPayload = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealChunk completes a chunk: b holds room for the head and then the payload.
//
//	type  length  payload  checksum
//	byte  uint32  length   uint32    CRC-32C of all before it in the chunk
func sealChunk(b []byte, kind byte) []byte {
	b[0] = kind
	binary.LittleEndian.PutUint32(b[1:], uint32(len(b)-chunkHead))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// A chunkReader takes chunks off an input. Its memory is bounded by what the
// input really holds.
type chunkReader struct {
	r      io.Reader
	offset int64 // of the next chunk in the file
	buf    bytes.Buffer
}

// next returns the next chunk; the payload is valid until the next call. Errors:
// ErrTruncated if the input ends in or before it, ErrCorrupt.
func (c *chunkReader) next() (kind byte, payload []byte, err error) {
	c.buf.Reset()
	if err := c.read(chunkHead); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(c.buf.Bytes()[1:])
	if n > maxPayload {
		return 0, nil, fmt.Errorf("reading a chunk of %d bytes at offset %d: %w", n, c.offset, ErrCorrupt)
	}
	if err := c.read(int64(n) + chunkTail); err != nil {
		return 0, nil, err
	}
	b := c.buf.Bytes()
	body := b[:len(b)-chunkTail]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return 0, nil, fmt.Errorf("checking the chunk at offset %d: %w", c.offset, ErrCorrupt)
	}
	c.offset += int64(len(b))
	return b[0], body[chunkHead:], nil
}

// read appends n bytes of the input to the buffer.
func (c *chunkReader) read(n int64) error {
	_, err := io.CopyN(&c.buf, c.r, n)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the chunk at offset %d: %w", c.offset, ErrTruncated)
	}
	if err != nil {
		return fmt.Errorf("reading at offset %d: %w", c.offset, err)
	}
	return nil
}
