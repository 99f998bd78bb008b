package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
)

// A file is one that packages install.
type file struct {
	source string // name in the directory of the build
	dest   string // absolute path, the same in every package but for zsh's
	rpm    string // path in an rpm, if it is another one
	mode   os.FileMode
	gzip   bool // in deb and rpm, as their policies want
	binary bool
	body   []byte
}

// layoutFiles are what scripts/release put into the directory, and where they go.
var layoutFiles = []file{
	{source: "mmtrace", dest: "/usr/bin/mmtrace", mode: 0o755, binary: true},
	{source: "mmtrace.1", dest: "/usr/share/man/man1/mmtrace.1", gzip: true},
	{source: "mmtrace.bash", dest: "/usr/share/bash-completion/completions/mmtrace"},
	{source: "_mmtrace", dest: "/usr/share/zsh/vendor-completions/_mmtrace", rpm: "/usr/share/zsh/site-functions/_mmtrace"},
	{source: "mmtrace.fish", dest: "/usr/share/fish/vendor_completions.d/mmtrace.fish"},
	{source: "copyright", dest: "/usr/share/doc/mmtrace/copyright"},
	{source: "CHANGELOG.md", dest: "/usr/share/doc/mmtrace/CHANGELOG.md", gzip: true},
}

// files reads the files of the build.
func (b *build) files() ([]file, error) {
	out := make([]file, len(layoutFiles))
	for i, f := range layoutFiles {
		body, err := os.ReadFile(filepath.Join(b.from, f.source))
		if err != nil {
			return nil, fmt.Errorf("reading what to pack: %w", err)
		}
		if f.mode == 0 {
			f.mode = 0o644
		}
		f.body = body
		out[i] = f
	}
	return out, nil
}

// installed returns f as a package manager installs it.
func (f file) installed(rpm bool) (file, error) {
	if rpm && f.rpm != "" {
		f.dest = f.rpm
	}
	if !f.gzip {
		return f, nil
	}
	var err error
	f.body, err = compress(f.body)
	f.dest += ".gz"
	return f, err
}

// compress makes what gzip -9n does: no name, no time.
func compress(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
