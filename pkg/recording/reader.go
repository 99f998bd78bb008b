package recording

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A Reader reads a recording in the manner of a bufio.Scanner. It is not safe
// for concurrent use.
type Reader struct {
	chunks   chunkReader
	header   Header
	decoder  *event.Decoder
	rest     []byte // of the chunk of events
	ev       event.Event
	last     event.Time
	events   uint64
	count    uint64 // of chunks
	facts    *report.Facts
	frames   stack.Table
	complete bool
	err      error
}

// NewReader reads the head of a recording. Errors: ErrFormat, ErrVersion,
// ErrTruncated and ErrCorrupt.
func NewReader(r io.Reader) (*Reader, error) {
	if err := readHead(r); err != nil {
		return nil, err
	}
	rd := &Reader{chunks: chunkReader{r: r, offset: int64(fileHead)}, frames: make(stack.Table)}
	kind, payload, err := rd.next()
	if err != nil {
		return nil, err
	}
	if kind != chunkHeader {
		return nil, fmt.Errorf("reading a chunk %q for the header: %w", kind, ErrCorrupt)
	}
	return rd, rd.json(payload, &rd.header)
}

// readHead reads the magic and the version.
func readHead(r io.Reader) error {
	head := make([]byte, fileHead)
	n, err := io.ReadFull(r, head)
	short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !short {
		return fmt.Errorf("reading the head: %w", err)
	}
	if m := min(n, len(Magic)); n == 0 || string(head[:m]) != Magic[:m] {
		return fmt.Errorf("reading the head: %w", ErrFormat)
	}
	if short {
		return fmt.Errorf("reading the head: %w", ErrTruncated)
	}
	switch v := binary.LittleEndian.Uint32(head[len(Magic):]); {
	case v > Version:
		return fmt.Errorf("reading version %d of the format, %d is the newest known: %w", v, Version, ErrVersion)
	case v == 0:
		return fmt.Errorf("reading version 0 of the format: %w", ErrCorrupt)
	}
	return nil
}

// Header returns what was known before the first event.
func (r *Reader) Header() Header { return r.header }

// Scan reads the next event. It returns false at the end and at the first
// error; both may be past events that were good.
func (r *Reader) Scan() bool {
	for r.err == nil && !r.complete {
		if len(r.rest) == 0 {
			r.err = r.chunk()
			continue
		}
		n, err := r.decoder.Decode(r.rest, &r.ev)
		if err != nil {
			r.err = fmt.Errorf("reading event %d: %w: %w", r.events+1, ErrCorrupt, err)
			return false
		}
		r.rest = r.rest[n:]
		r.events++
		r.last = max(r.last, r.ev.Time)
		return true
	}
	return false
}

// Event returns the newest event. It is valid until the next Scan; its slices
// are the caller's.
func (r *Reader) Event() *event.Event { return &r.ev }

// Err returns what ended Scan: nil at the end of a complete recording,
// ErrTruncated, ErrCorrupt or an error of the input.
func (r *Reader) Err() error { return r.err }

// Complete reports whether the end was reached.
func (r *Reader) Complete() bool { return r.complete }

// Frames returns the frames of stacks read so far. After a complete recording
// they are those that Finish was given.
func (r *Reader) Frames() stack.Table { return r.frames }

// Facts returns what Finish was given; until that has been read, what the
// header and the events so far tell.
func (r *Reader) Facts() report.Facts {
	if r.facts == nil {
		return r.header.facts(r.events, r.last)
	}
	return *r.facts
}

// next reads a chunk and counts it.
func (r *Reader) next() (kind byte, payload []byte, err error) {
	kind, payload, err = r.chunks.next()
	if err == nil {
		r.count++
	}
	return kind, payload, err
}

// chunk takes the next chunk.
func (r *Reader) chunk() error {
	kind, payload, err := r.next()
	if err != nil {
		return err
	}
	switch kind {
	case chunkEvents:
		r.decoder, r.rest = new(event.Decoder), payload
	case chunkStacks:
		return readTable(payload, r.frames)
	case chunkFacts:
		r.facts = new(report.Facts)
		return r.json(payload, r.facts)
	case chunkEnd:
		return r.end(payload)
	}
	return nil
}

// end compares the counts at the end with what was read.
func (r *Reader) end(payload []byte) error {
	if len(payload) < 16 {
		return fmt.Errorf("reading the end: %w", ErrCorrupt)
	}
	events, chunks := binary.LittleEndian.Uint64(payload), binary.LittleEndian.Uint64(payload[8:])
	if events != r.events || chunks != r.count-1 || r.facts == nil {
		return fmt.Errorf("counting %d of %d events, %d of %d chunks: %w", r.events, events, r.count-1, chunks, ErrCorrupt)
	}
	r.complete = true
	return nil
}

func (r *Reader) json(payload []byte, v any) error {
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("reading the chunk before offset %d: %w: %w", r.chunks.offset, ErrCorrupt, err)
	}
	return nil
}
