package procfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A SpaceMap is an open map of one address space. It stays with that space:
// when the process goes on to another by execve, or ends, nothing else is ever
// read through it.
type SpaceMap struct {
	f    *os.File
	wrap func(error) error
}

// OpenMap opens the map of the address space that the process has now.
func (p *Process) OpenMap() (*SpaceMap, error) {
	f, err := p.openTask("maps")
	if err != nil {
		return nil, err
	}
	return &SpaceMap{f, func(err error) error { return p.wrap("maps", err) }}, nil
}

// Read returns the map as it is now, in address order and without [vsyscall].
// It returns ErrNoProcess once the last user of the space is gone. It must be
// called from one goroutine at a time.
func (m *SpaceMap) Read() ([]event.Region, error) {
	if _, err := m.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading a map: %w", err)
	}
	regions, err := ParseMaps(m.f)
	if err != nil {
		return nil, m.wrap(err)
	}
	if len(regions) == 0 || !m.lives() {
		return nil, m.wrap(ErrNoProcess)
	}
	return regions, nil
}

// lives reports whether the space still has a user. The file is read in pieces, and
// ends early if the last user goes between two of them; whoever is there afterwards
// was there all the time.
func (m *SpaceMap) lives() bool {
	var b [1]byte
	n, _ := m.f.ReadAt(b[:], 0)
	return n > 0
}

// Close gives the file back.
func (m *SpaceMap) Close() error { return m.f.Close() }

// readVM fills b by process_vm_readv(2), for which CAP_SYS_PTRACE is enough. It
// names the process by its id: Alive tells whether that was still the process.
func (p *Process) readVM(b []byte, addr uint64) error {
	n, err := unix.ProcessVMReadv(int(p.pid), []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}},
		[]unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
	switch {
	case err == nil && !p.Alive():
		err = ErrNoProcess
	case err == nil && n < len(b):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return p.wrap("memory", err)
	}
	return nil
}

// ReadMemory returns the n bytes of the process's memory at addr.
func (p *Process) ReadMemory(addr uint64, n int) ([]byte, error) {
	b := make([]byte, n)
	f, err := p.openTask("mem")
	if errors.Is(err, fs.ErrPermission) { // the file is its owner's alone; this call asks for no file
		return b, p.readVM(b, addr)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.ReadAt(b, int64(addr)); err != nil {
		return nil, p.wrap("mem", err)
	}
	return b, nil
}
