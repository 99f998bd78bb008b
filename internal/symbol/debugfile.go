package symbol

import (
	"fmt"
	"io"
	"sync"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A debugFile is a file with symbols or debug information: a module's own, or
// one that was split off. Its methods may be called concurrently.
type debugFile struct {
	path string
	im   *image
	c    io.Closer // nil if the file belongs to somebody else

	symbols func() (*symbols, error)

	mu    sync.Mutex
	dwarf func() (*dwarfFile, error)
}

// newDebugFile returns the debugFile of an image. s finds what the file shares
// names with and what was split off it; it may be nil.
func newDebugFile(path string, im *image, c io.Closer, s *Symbolizer) *debugFile {
	f := &debugFile{path: path, im: im, c: c}
	f.symbols = sync.OnceValues(func() (*symbols, error) { return guarded(im.readFullSymbols) })
	f.dwarf = sync.OnceValues(func() (*dwarfFile, error) {
		d, err := guarded(im.readDWARF)
		if err != nil {
			return nil, fmt.Errorf("reading debug information of %s: %w", path, err)
		}
		if d != nil && s != nil {
			d.alt = s.shared(im)
			d.split = func(u *unit) (*dwarfFile, error) { return s.findSplit(path, u) }
		}
		return d, nil
	})
	return f
}

// guarded is read with panics turned into errors; with an error comes the zero
// value.
func guarded[T any](read func() (T, error)) (v T, err error) {
	var got T
	if err = guard(func() error { got, err = read(); return err }); err != nil {
		return v, err
	}
	return got, nil
}

// hasLines says whether the file has debug information that can be read.
func (f *debugFile) hasLines() bool {
	if f == nil {
		return false
	}
	d, err := f.dwarf()
	return err == nil && d != nil
}

// frames returns the frames of addr without what all frames of a module share,
// leaf first, or nil. The error says why there may be more to tell.
func (f *debugFile) frames(addr uint64) (fs []stack.Frame, err error) {
	d, err := f.dwarf()
	if err != nil || d == nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { d.depth = 0 }()
	gerr := guard(func() error {
		fs, err = d.frames(addr)
		return nil
	})
	if gerr != nil {
		return nil, gerr
	}
	return fs, err
}

// close closes the file. Nothing may be asked for any more.
func (f *debugFile) close() error {
	if f == nil || f.c == nil {
		return nil
	}
	return f.c.Close()
}
