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

// chunkSize is the size in bytes at which a chunk of events is written out: as
// much is lost at most when the recorder is killed.
const chunkSize = 64 << 10

// A Writer writes a recording. It is not safe for concurrent use. The first
// error stays: every later call returns it.
type Writer struct {
	w       io.Writer
	chunk   []byte
	encoder event.Encoder
	events  uint64
	chunks  uint64
	err     error
}

var errFinished = errors.New("recording is finished")

// NewWriter begins a recording on w and writes its head at once. An error comes
// with the next call.
func NewWriter(w io.Writer, h Header) *Writer {
	rw := &Writer{w: w, chunk: make([]byte, chunkHead, chunkSize+4096)}
	rw.write(binary.LittleEndian.AppendUint32([]byte(Magic), Version))
	rw.json(chunkHeader, h)
	return rw
}

// Event adds ev, which it copies. An event of a kind that is not Recorded is an
// error, which does not stay.
func (w *Writer) Event(ev *event.Event) error {
	if w.err != nil {
		return w.err
	}
	if !ev.Kind.Recorded() {
		return fmt.Errorf("recording an event of kind %d: it has no form", uint8(ev.Kind))
	}
	w.chunk = w.encoder.Append(w.chunk, ev)
	w.events++
	if len(w.chunk) >= chunkSize {
		return w.Flush()
	}
	return nil
}

// Flush writes out what is buffered, so that it survives if nothing follows.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.chunk) == chunkHead {
		return w.err
	}
	w.seal(chunkEvents, w.chunk)
	w.chunk = w.chunk[:chunkHead]
	w.encoder = event.Encoder{}
	return w.err
}

// Finish writes what became known during the trace, and the end. It does not
// close what is below.
func (w *Writer) Finish(facts report.Facts, frames stack.Table) error {
	if err := w.Flush(); err != nil {
		return err
	}
	w.seal(chunkStacks, appendTable(make([]byte, chunkHead), frames))
	w.json(chunkFacts, facts)
	end := binary.LittleEndian.AppendUint64(make([]byte, chunkHead), w.events)
	w.seal(chunkEnd, binary.LittleEndian.AppendUint64(end, w.chunks))
	if w.err != nil {
		return w.err
	}
	w.err = errFinished
	return nil
}

func (w *Writer) json(kind byte, v any) {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encoding chunk %c: %w", kind, err)
	}
	w.seal(kind, append(make([]byte, chunkHead), b...))
}

// seal writes a chunk; b holds room for its head and the payload.
func (w *Writer) seal(kind byte, b []byte) {
	if len(b) > maxPayload+chunkHead && w.err == nil {
		w.err = fmt.Errorf("writing chunk %c: %d bytes are too many", kind, len(b))
	}
	w.write(sealChunk(b, kind))
	w.chunks++
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.w.Write(b); err != nil {
		w.err = fmt.Errorf("writing the recording: %w", err)
	}
}
