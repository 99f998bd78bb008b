package symbol

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Limits on what a module holds in memory once its file is closed, in bytes.
const (
	maxKeptNames  = 64 << 20
	maxKeptFrames = 16 << 20
	maxKeptGo     = 64 << 20
	maxKeptTree   = 8 << 20
)

// A Module is one mapped file. It is read when an address in it is asked for,
// and no further than that takes. Its methods may be called concurrently.
type Module struct {
	s    *Symbolizer // nil for a module that is alone
	path string
	src  *store
	c    io.Closer

	image  func() (*image, error)
	id     func() string
	syms   func() (*symbols, error)
	golang func() (*goTable, error)
	cfi    func() (*cfi, error)

	// debug is where the lines of the module are: in its own file or in one that
	// was split off; nil if there are none.
	debug func() (*debugFile, error)
	// tables are the symbol tables, that which has most first.
	tables func() []*symbols
	cache  func() *frameCache

	mu    sync.Mutex
	names map[nameKey]naming
	gaps  gaps
}

// newModule returns the module whose content is the size bytes of r.
func newModule(path string, r io.ReaderAt, size int64) *Module {
	m := &Module{path: path, src: &store{r: r, size: uint64(max(size, 0))}, names: map[nameKey]naming{}}
	m.image = sync.OnceValues(func() (im *image, err error) { return newImage(m.src) })
	m.id = sync.OnceValue(func() string {
		id, _ := part(m, func(im *image) (string, error) { return im.buildID(), nil })
		return id
	})
	m.syms = sync.OnceValues(func() (*symbols, error) { return part(m, (*image).readSymbols) })
	m.golang = sync.OnceValues(func() (*goTable, error) { return part(m, (*image).findGo) })
	m.cfi = sync.OnceValues(func() (*cfi, error) { return part(m, (*image).findCFI) })
	m.debug = sync.OnceValues(m.findDebug)
	m.tables = sync.OnceValue(m.findTables)
	m.cache = sync.OnceValue(m.findCache)
	return m
}

// brokenModule returns a module that has no content, for the given reason.
func brokenModule(path string, reason error) *Module {
	m := newModule(path, nil, 0)
	m.image = func() (*image, error) { return nil, reason }
	return m
}

// part reads a part of m's image. A panic becomes an error, and with an error
// comes the zero value.
func part[T any](m *Module, read func(*image) (T, error)) (v T, err error) {
	im, err := m.image()
	if err != nil {
		return v, err
	}
	var got T
	if err = guard(func() error { got, err = read(im); return err }); err != nil {
		return v, err
	}
	return got, nil
}

// Path returns the path under which the module was registered.
func (m *Module) Path() string { return m.path }

// BuildID returns the GNU build ID in hexadecimal, else the Go build ID as it
// is, else an empty string.
func (m *Module) BuildID() string { return m.id() }

// Err returns why the module has no names, or not all: the file is not an ELF
// file, cannot be read or is damaged. It reads what has not been read yet. A
// file that has been stripped is no error, and neither is one without call
// frame information.
func (m *Module) Err() error {
	_, serr := m.syms()
	_, gerr := m.golang()
	if serr != nil && gerr != nil && serr.Error() == gerr.Error() {
		gerr = nil
	}
	if err := errors.Join(serr, gerr); err != nil {
		return fmt.Errorf("reading symbols of %s: %w", m.path, err)
	}
	return nil
}

// Frames returns the frames at file offset off, leaf first: the calls that
// were inlined there, as far as they are known, and last the function that the
// linker knows. There is always at least that one; if no function covers the
// address, it has no name.
//
// call says that off is a return address. The byte before it, the last of the
// call, is then what everything speaks of: Function, File and Line, but also
// Start and Offset. This is the convention of pprof, and it gives the line of
// the call to a tool that is fed with Offset. Start is the distance of that
// byte from the start of the function; inlined frames have none.
func (m *Module) Frames(off uint64, call bool) []stack.Frame {
	if call && off > 0 {
		off--
	}
	fs := m.lookup(off)
	if fs == nil {
		fs = []stack.Frame{{}}
	}
	for i := range fs {
		fs[i].Module, fs[i].BuildID, fs[i].Offset = m.path, m.BuildID(), off
	}
	return fs
}

// lookup returns the frames at off without what all frames of a module share,
// or nil. The slice is the caller's.
func (m *Module) lookup(off uint64) []stack.Frame {
	fs, ok := m.cache().get(off)
	if !ok {
		fs = m.resolve(off)
		m.cache().put(off, slices.Clone(fs))
	}
	m.count(fs)
	return fs
}

// count notes what is missing of the frames of an address.
func (m *Module) count(fs []stack.Frame) {
	if m.gaps.asked.Add(1) == 1 && m.s != nil {
		m.s.touch(m)
	}
	if len(fs) == 0 || fs[len(fs)-1].Function == "" {
		m.gaps.nameless.Add(1)
	}
	if len(fs) == 0 || fs[0].File == "" {
		m.gaps.lineless.Add(1)
	}
}

// debugFrames returns the frames of addr that debug information tells, or nil.
func (m *Module) debugFrames(addr uint64) []stack.Frame {
	f, err := m.debug()
	if err != nil {
		return nil
	}
	fs, err := f.frames(addr)
	if err != nil {
		m.gaps.why.CompareAndSwap(nil, &err)
	}
	return fs
}

// resolve does the work of lookup. Code of the Go compiler is named by its own
// table: the symbol table has other names for generics and assembly. Elsewhere
// inlined calls and lines come from the debug information, and the function
// from the symbol table if that has it.
func (m *Module) resolve(off uint64) []stack.Frame {
	im, err := m.image()
	if err != nil {
		return nil
	}
	addr, ok := im.addr(off)
	if !ok {
		return nil
	}
	if g, _ := m.golang(); g.covers(addr) {
		if fs := g.frames(addr); fs != nil {
			return fs
		}
	}
	fs := m.debugFrames(addr)
	f, ok := m.function(addr)
	switch {
	case !ok:
	case fs == nil:
		fs = []stack.Frame{f}
	default:
		last := &fs[len(fs)-1]
		f.File, f.Line = last.File, last.Line
		*last = f
	}
	return fs
}

// detach reads all that the module may need and closes its file.
func (m *Module) detach() {
	m.BuildID()
	if t, err := m.syms(); err == nil {
		m.src.keep(t.table.names, t.table.namesSize, maxKeptNames)
	}
	if g, err := m.golang(); err == nil && g != nil {
		m.src.keep(g.off, min(g.size, maxKeptGo), maxKeptGo)
	}
	if g, err := m.golang(); err == nil && g != nil && g.inlines != 0 {
		m.src.keep(g.inlines, min(m.src.size-min(g.inlines, m.src.size), maxKeptTree), maxKeptTree)
	}
	if im, err := m.image(); err == nil {
		im.keepFrames()
	}
	_, _ = m.cfi()
	m.src.detach()
	_ = m.close()
}

// keepFrames holds the call frame information and its index.
func (im *image) keepFrames() {
	hdr, err := im.frameHeader()
	if err != nil || hdr.count == 0 {
		return
	}
	im.src.keep(hdr.table, 8*hdr.count, maxKeptFrames)
	if off, rest, ok := im.offset(hdr.frames); ok {
		size := rest
		if s := im.plain(".eh_frame"); s != nil {
			size = s.FileSize
		}
		im.src.keep(off, min(size, maxKeptFrames), maxKeptFrames)
	}
}

// close closes the file, if there is one.
func (m *Module) close() error {
	if m.c == nil {
		return nil
	}
	return m.c.Close()
}

// Content returns what the module's file holds, and its size in bytes. Of a file
// that is closed only the parts that are still needed can be read.
func (m *Module) Content() (io.ReaderAt, int64) { return m.src, int64(m.src.size) }
