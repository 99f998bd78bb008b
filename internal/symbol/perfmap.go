package symbol

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Limits on a perf map: its size and the length of a name, in bytes, and the
// number of functions.
const (
	maxPerfMap   = 64 << 20
	maxPerfName  = 4096
	maxPerfFuncs = 1 << 20
)

// jitModule is the module of a frame that a perf map names.
const jitModule = "[jit]"

// A perfMap is the functions that a runtime wrote itself, and says where.
type perfMap struct {
	funcs *interval.Map[perfFunc]
}

// A perfFunc is a function of a perf map: where it began, and its name.
type perfFunc struct {
	start uint64
	name  string
}

// SetPerfMap gives the space the functions that its process generated: the
// content of /tmp/perf-PID.map, lines of start and size in hexadecimal and a
// name, as tools/perf/Documentation/jit-interface.txt of the kernel has it. A
// later line wins over an earlier one that it overlaps. Lines of another form
// are left out, and so is what is beyond 64 MB. It replaces the map of before,
// also for locations that were found before, and with an error it is what was
// read up to there.
//
// The map names executable memory that has no file, or whose file is none that
// has a path. Such a frame has the module "[jit]" and the address as its offset.
func (sp *Space) SetPerfMap(r io.Reader) error {
	m := &perfMap{interval.NewMap[perfFunc]()}
	err := m.read(r)
	sp.perf.Store(m)
	if err != nil {
		return fmt.Errorf("reading a perf map: %w", err)
	}
	return nil
}

// read adds the lines of r.
func (m *perfMap) read(r io.Reader) error {
	l := &io.LimitedReader{R: r, N: maxPerfMap}
	b := bufio.NewReaderSize(l, 2*maxPerfName)
	for n := 0; ; {
		line, err := b.ReadSlice('\n')
		if m.add(string(line)) {
			n++
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long name
			_, err = b.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF) && l.N > 0:
			return nil
		case errors.Is(err, io.EOF), n == maxPerfFuncs:
			return errSize
		case err != nil:
			return err
		}
	}
}

// add adds one line and says whether it could.
func (m *perfMap) add(line string) bool {
	start, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	size, name, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	lo, err1 := strconv.ParseUint(strings.TrimPrefix(start, "0x"), 16, 64)
	n, err2 := strconv.ParseUint(strings.TrimPrefix(size, "0x"), 16, 64)
	name = strings.TrimSpace(name)
	if err1 != nil || err2 != nil || n == 0 || name == "" {
		return false
	}
	if len(name) > maxPerfName {
		name = name[:maxPerfName]
	}
	m.funcs.Set(interval.Of(lo, n), perfFunc{lo, strings.ToValidUTF8(name, "\ufffd")})
	return true
}

// frame returns the frame of addr.
func (m *perfMap) frame(addr uint64) (stack.Frame, bool) {
	if m == nil {
		return stack.Frame{}, false
	}
	e, ok := m.funcs.Find(addr)
	if !ok {
		return stack.Frame{}, false
	}
	f := e.Value
	return stack.Frame{Function: f.name, Module: jitModule, Offset: addr, Start: addr - f.start}, true
}

// generated says whether code of a region with the path may have been made by
// the process itself: it has no file, or one without a name in any directory.
func generated(path string) bool {
	return path == "[anon]" || path == "[heap]" || path == "[stack]" || strings.HasPrefix(path, "[anon:") ||
		strings.HasPrefix(path, "/memfd:") || strings.HasPrefix(path, "/dev/zero") || strings.HasPrefix(path, "/SYSV")
}
