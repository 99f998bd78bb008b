package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path"
	"time"
)

// archive makes a tar file with everything in one directory, for machines
// without a package manager.
func (b *build) archive(files []file) (name string, content []byte, err error) {
	base := fmt.Sprintf("mmtrace_%s_linux_%s", b.version, b.arch)
	t := newTar(b.time)
	t.dir(base, 0o755)
	for _, f := range files {
		t.file(path.Join(base, f.source), f.mode, f.body)
	}
	content, err = t.bytes()
	if err == nil {
		content, err = compress(content)
	}
	return base + ".tar.gz", content, err
}

// A tarFile is a tar file of root's, all of one time. The first error stays.
type tarFile struct {
	buf  bytes.Buffer
	w    *tar.Writer
	time time.Time
	err  error
}

func newTar(at time.Time) *tarFile {
	t := &tarFile{time: at}
	t.w = tar.NewWriter(&t.buf)
	return t
}

func (t *tarFile) dir(name string, mode int64) {
	t.add(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (t *tarFile) file(name string, mode os.FileMode, body []byte) {
	t.add(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: int64(len(body))}, body)
}

func (t *tarFile) add(h *tar.Header, body []byte) {
	h.ModTime, h.Format = t.time, tar.FormatUSTAR
	if t.err == nil {
		t.err = t.w.WriteHeader(h)
	}
	if t.err == nil {
		_, t.err = t.w.Write(body)
	}
}

func (t *tarFile) bytes() ([]byte, error) {
	if t.err == nil {
		t.err = t.w.Close()
	}
	if t.err != nil {
		return nil, fmt.Errorf("writing a tar file: %w", t.err)
	}
	return t.buf.Bytes(), nil
}
