package symbol

import (
	"errors"
	"fmt"
	"os"
)

// A search looks for one debug file.
type search struct {
	s       *Symbolizer
	reasons []error // why what was found is not used
}

// search finds the debug file of a module; without one the error says why.
func (s *Symbolizer) search(module, id string, im *image) (*debugFile, error) {
	h := &search{s: s}
	if d := h.byID(id); d != nil {
		return d, nil
	}
	if d := h.byLink(module, im); d != nil {
		return d, nil
	}
	if id != "" && len(s.opts.Servers) > 0 {
		d, err := s.download(module, id)
		if err == nil {
			return d, nil
		}
		h.reasons = append(h.reasons, err)
	}
	if len(h.reasons) > 0 {
		return nil, errors.Join(h.reasons...)
	}
	return nil, errNoDebug
}

// byID looks under the build ID.
func (h *search) byID(id string) *debugFile {
	if id == "" {
		return nil
	}
	for _, p := range h.s.places() {
		for _, dir := range h.s.opts.dirs() {
			if d := h.try(p, buildIDPath(dir, id), sameBuild(id)); d != nil {
				return d
			}
		}
	}
	return nil
}

// byLink looks for the file that .gnu_debuglink names.
func (h *search) byLink(module string, im *image) *debugFile {
	name, sum, ok := im.debugLink()
	if !ok {
		return nil
	}
	for _, p := range h.s.places() {
		for _, at := range h.s.linkPaths(module, name, p.beside) {
			if d := h.try(p, at, sameSum(sum)); d != nil {
				return d
			}
		}
	}
	return nil
}

// try returns the debug file of the name if there is one that passes the check.
func (h *search) try(p place, name string, check func(*image, *os.File) error) *debugFile {
	f, err := p.open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		h.reasons = append(h.reasons, fmt.Errorf("opening %s: %w", name, plainPath(err)))
		return nil
	}
	d, err := h.s.adopt(name, f, check)
	if err != nil {
		h.reasons = append(h.reasons, fmt.Errorf("using %s: %w", name, err))
	}
	return d
}

// plainPath cuts from an error of package os the operation and the path, which
// the caller names.
func plainPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
