package symbol

import (
	"errors"
	"fmt"
)

// vdsoPath is the path of the module that the kernel brings along.
const vdsoPath = "[vdso]"

// findDebug returns the file with the module's debug information.
func (m *Module) findDebug() (*debugFile, error) {
	im, err := m.image()
	if err != nil {
		return nil, err
	}
	if im.hasDWARF() {
		if im.src.r == nil {
			return nil, errFileClosed
		}
		f := newDebugFile(m.path, im, nil, m.s)
		_, err := f.dwarf()
		return f, err
	}
	f, err := m.separate()
	if err != nil {
		return nil, err
	}
	if !f.hasLines() {
		_, err = f.dwarf()
		if err == nil {
			err = fmt.Errorf("using %s: %w", f.path, errNoDebug)
		}
		return nil, err
	}
	return f, nil
}

// findTables returns the symbol tables of the module: its own if that is
// whole, else that of its debug file or of .gnu_debugdata, and then the dynamic
// one.
func (m *Module) findTables() []*symbols {
	own, err := m.syms()
	if err != nil {
		own = nil
	}
	if own != nil && !own.table.dynamic && len(own.list) > 0 {
		return []*symbols{own}
	}
	var out []*symbols
	if t := m.fullSymbols(); t != nil {
		out = append(out, t)
	}
	if own != nil {
		out = append(out, own)
	}
	return out
}

// fullSymbols returns the symbols that were split off the module, or nil.
func (m *Module) fullSymbols() *symbols {
	if f, err := m.separate(); err == nil {
		if t, err := f.symbols(); err == nil && len(t.list) > 0 {
			return t
		}
	}
	if t, err := part(m, (*image).readMini); err == nil && len(t.list) > 0 {
		return t
	}
	return nil
}

// why returns why the module cannot tell all names and lines.
func (m *Module) why() error {
	if _, err := m.image(); err != nil {
		return err
	}
	var errs []error
	if e := m.gaps.why.Load(); e != nil {
		errs = append(errs, *e)
	}
	if _, err := m.debug(); err != nil && len(errs) == 0 {
		errs = append(errs, err)
	}
	if t := m.tables(); m.gaps.nameless.Load() > 0 && (len(t) == 0 || t[0].table.dynamic) {
		errs = append(errs, errNoSymbols)
	}
	return errors.Join(errs...)
}
