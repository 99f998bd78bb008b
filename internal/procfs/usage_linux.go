package procfs

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A UsageReader reads the usage of one process time and again. Its files stay
// open, and nothing that it reads makes the process wait. It must be used from
// one goroutine at a time.
type UsageReader struct {
	status, stat *textFile
}

// OpenUsage opens the files that tell of p's usage.
func (p *Process) OpenUsage() (*UsageReader, error) {
	status, err := p.open("status")
	if err != nil {
		return nil, err
	}
	stat, err := p.open("stat")
	if err != nil {
		return nil, errors.Join(err, status.Close())
	}
	return &UsageReader{&textFile{f: status}, &textFile{f: stat}}, nil
}

// Read returns the usage at this moment. Its error is ErrNoProcess once the
// process, or its first thread, has ended.
func (r *UsageReader) Read() (Usage, error) {
	status, err := r.status.read()
	if err != nil {
		return Usage{}, err
	}
	stat, err := r.stat.read()
	if err != nil {
		return Usage{}, err
	}
	return parseUsage(status, stat)
}

// Close gives the files back.
func (r *UsageReader) Close() error { return errors.Join(r.status.f.Close(), r.stat.f.Close()) }

// A HostUsageReader reads the usage of the machine time and again. It must be
// used from one goroutine at a time.
type HostUsageReader struct {
	meminfo, vmstat *textFile
}

// OpenHostUsage opens the files that tell of the machine's usage.
func OpenHostUsage() (*HostUsageReader, error) {
	meminfo, err := os.Open("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	vmstat, err := os.Open("/proc/vmstat")
	if err != nil {
		return nil, errors.Join(err, meminfo.Close())
	}
	return &HostUsageReader{&textFile{f: meminfo}, &textFile{f: vmstat}}, nil
}

// Read returns the usage at this moment.
func (r *HostUsageReader) Read() (HostUsage, error) {
	meminfo, err := r.meminfo.read()
	if err != nil {
		return HostUsage{}, err
	}
	vmstat, err := r.vmstat.read()
	if err != nil {
		return HostUsage{}, err
	}
	return parseHostUsage(meminfo, vmstat), nil
}

// Close gives the files back.
func (r *HostUsageReader) Close() error { return errors.Join(r.meminfo.f.Close(), r.vmstat.f.Close()) }

// A textFile is an open file of /proc that is made anew by each reading from its
// start.
type textFile struct {
	f   *os.File
	buf []byte
}

// read returns the whole text, which is valid until the next call. A buffer that
// holds it all makes it one system call.
func (t *textFile) read() ([]byte, error) {
	if t.buf == nil {
		t.buf = make([]byte, 8<<10)
	}
	n := 0
	for {
		m, err := t.f.ReadAt(t.buf[n:], int64(n))
		n += m
		switch {
		case errors.Is(err, io.EOF):
			return t.buf[:n], nil
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", t.f.Name(), err)
		}
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
}
