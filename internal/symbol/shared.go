package symbol

import (
	"bytes"
	"encoding/hex"
	"os"
	"path"
)

// shared returns the debug information that several debug files share, as the
// tool dwz makes it and .gnu_debugaltlink of im names it: a path, and the build
// ID. It is nil if there is none.
func (s *Symbolizer) shared(im *image) *dwarfFile {
	link := im.plain(".gnu_debugaltlink")
	if link == nil {
		return nil
	}
	b, err := im.src.bytes(link.Offset, link.FileSize, maxDebugLink)
	if err != nil {
		return nil
	}
	name, rest, ok := bytes.Cut(b, []byte{0})
	id := hex.EncodeToString(rest)
	if !ok || !isBuildID(id) {
		return nil
	}
	f := s.findShared(string(name), id)
	if f == nil {
		return nil
	}
	// The outline is read for im alone: it is guarded by the lock of its file.
	d, _ := guarded(f.im.readDWARF)
	return d
}

// findShared opens the file that has the build ID, by that or by its path.
func (s *Symbolizer) findShared(name, id string) *debugFile {
	f, _ := s.once("dwz "+id, func() (*debugFile, error) {
		for _, p := range s.places() {
			for _, dir := range s.opts.dirs() {
				for _, at := range []string{buildIDPath(dir, id), sharedPath(dir, name)} {
					if f, err := p.open(at); err == nil {
						if d, err := s.adopt(at, f, sameBuild(id)); err == nil {
							return d, nil
						}
					}
				}
			}
		}
		if len(s.opts.Servers) == 0 {
			return nil, os.ErrNotExist
		}
		return s.download(path.Base(name), id)
	})
	return f
}

// sharedPath returns where a distribution has the file: the name is absolute, or
// relative to a debug file somewhere under dir, and has .dwz in it.
func sharedPath(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	if i := bytes.LastIndex([]byte(name), []byte(".dwz/")); i >= 0 {
		name = name[i:]
	}
	return path.Join(dir, path.Clean("/"+name))
}
