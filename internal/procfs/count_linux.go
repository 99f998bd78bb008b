package procfs

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// CountMappings returns how many mappings the process has as the kernel counts them:
// the lines of its map, which hold one that is none, vsyscall. It takes as long as
// to read them, about a millisecond for each 1,000.
func (p *Process) CountMappings() (uint64, error) {
	f, err := p.openTask("maps")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var n uint64
	buf := make([]byte, 64<<10)
	for {
		m, err := f.Read(buf)
		n += uint64(bytes.Count(buf[:m], []byte("\n")) - bytes.Count(buf[:m], []byte("[vsyscall]\n")))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, p.wrap("maps", err)
		}
	}
}

// CountFDs returns how many file descriptors the process has open. Since Linux 6.2
// the kernel has the number at hand; before it they are listed.
func (p *Process) CountFDs() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(p.dir, "fd", &st, 0); err != nil {
		return 0, p.wrap("fd", err)
	}
	if st.Size > 0 {
		return uint64(st.Size), nil
	}
	fd, err := unix.Openat(p.dir, "fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, p.wrap("fd", err)
	}
	d := os.NewFile(uintptr(fd), "fd")
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0, p.wrap("fd", err)
	}
	return uint64(len(names)), nil
}
