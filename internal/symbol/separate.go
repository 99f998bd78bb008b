package symbol

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"strings"
	"sync"
)

// Limits on debug files.
const (
	maxDebugFile  = 8 << 30 // bytes of one whose checksum is made
	maxDebugLink  = 4096    // bytes of .gnu_debuglink
	minBuildID    = 4       // hexadecimal digits
	maxDebugFiles = 512     // that are open
)

// Reasons why a debug file is not used.
var (
	errNoDebug    = errors.New("no debug information")
	errNotSame    = errors.New("it belongs to another build")
	errManyDebug  = errors.New("too many debug files")
	errNoSymbols  = errors.New("no symbol table")
	errFileClosed = errors.New("too many files to keep it open")
)

// A place is a way to open files: those of a target's root or of the host's.
type place struct {
	open func(path string) (*os.File, error)
	// beside says that the directory of the module itself is searched, too.
	beside bool
}

// places returns where to look, in this order. Where a target has a root of its
// own, the directory of its module means nothing on the host.
func (s *Symbolizer) places() []place {
	host := place{openPlain, s.opts.Root == nil}
	if s.opts.Root == nil {
		return []place{host}
	}
	return []place{{s.opts.Root, true}, host}
}

// openPlain opens a regular file of the host. Its name may come from a file that
// is traced: to open a device can be an act, and a pipe may have nobody at its
// other end.
func openPlain(name string) (*os.File, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errRegular
	}
	return os.OpenFile(name, os.O_RDONLY|openNonblock, 0)
}

// separate returns the debug file of m, one for all modules of the same build.
func (m *Module) separate() (*debugFile, error) {
	im, err := m.image()
	if err != nil {
		return nil, err
	}
	if m.s == nil || m.path == vdsoPath {
		return nil, errNoDebug
	}
	id := m.BuildID()
	if !isBuildID(id) {
		return m.s.search(m.path, "", im)
	}
	return m.s.once(id, func() (*debugFile, error) { return m.s.search(m.path, id, im) })
}

// once calls find for the first question about a build, and answers the others
// with the same.
func (s *Symbolizer) once(id string, find func() (*debugFile, error)) (*debugFile, error) {
	s.mu.Lock()
	f := s.debug[id]
	if f == nil {
		f = sync.OnceValues(find)
		s.debug[id] = f
	}
	s.mu.Unlock()
	return f()
}

// isBuildID says whether id is a GNU build ID. It comes from a file, and is
// about to become part of a path.
func isBuildID(id string) bool {
	_, err := hex.DecodeString(id)
	return err == nil && len(id) >= minBuildID
}

// buildIDPath returns the path of a build's debug file in a directory.
func buildIDPath(dir, id string) string {
	return path.Join(dir, ".build-id", id[:2], id[2:]+".debug")
}

// linkPaths returns where the file that a .gnu_debuglink names may be.
func (s *Symbolizer) linkPaths(module, name string, beside bool) []string {
	dir := path.Dir(path.Clean("/" + module))
	var out []string
	if beside {
		out = append(out, path.Join(dir, name), path.Join(dir, ".debug", name))
	}
	for _, d := range s.opts.dirs() {
		out = append(out, path.Join(d, dir, name))
	}
	return out
}

// adopt takes over an open debug file that passes the check.
func (s *Symbolizer) adopt(name string, f *os.File, check func(*image, *os.File) error) (*debugFile, error) {
	d, err := s.readDebug(name, f, check)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.opened) >= maxDebugFiles {
		_ = f.Close()
		return nil, errManyDebug
	}
	s.opened = append(s.opened, d)
	return d, nil
}

// readDebug reads the outline of a debug file.
func (s *Symbolizer) readDebug(name string, f *os.File, check func(*image, *os.File) error) (*debugFile, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errRegular
	}
	im, err := newImage(&store{r: f, size: uint64(fi.Size())})
	if err != nil {
		return nil, err
	}
	if err := check(im, f); err != nil {
		return nil, err
	}
	return newDebugFile(name, im, f, s), nil
}

// sameBuild returns a check for a build ID.
func sameBuild(id string) func(*image, *os.File) error {
	return func(im *image, _ *os.File) error {
		if got := im.buildID(); got != id {
			return fmt.Errorf("build ID %q: %w", got, errNotSame)
		}
		return nil
	}
}

// sameSum returns a check for the CRC-32 of the whole file.
func sameSum(sum uint32) func(*image, *os.File) error {
	return func(im *image, f *os.File) error {
		if im.src.size > maxDebugFile {
			return errSize
		}
		h := crc32.NewIEEE()
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, int64(im.src.size))); err != nil {
			return fmt.Errorf("making a checksum: %w", err)
		}
		if got := h.Sum32(); got != sum {
			return fmt.Errorf("checksum %#x: %w", got, errNotSame)
		}
		return nil
	}
}

// debugLink returns what .gnu_debuglink says: the name of a file without its
// directory, and its checksum.
func (im *image) debugLink() (name string, sum uint32, ok bool) {
	s := im.plain(".gnu_debuglink")
	if s == nil {
		return "", 0, false
	}
	b, err := im.src.bytes(s.Offset, s.FileSize, maxDebugLink)
	if err != nil || len(b) < 8 {
		return "", 0, false
	}
	name, _, _ = strings.Cut(string(b[:len(b)-4]), "\x00")
	ok = name != "" && name != "." && name != ".." && !strings.Contains(name, "/")
	return name, uint32(number(b[len(b)-4:], im.little())), ok
}
