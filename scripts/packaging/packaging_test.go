package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// sample is a build of files that hold their own names.
func sample(t *testing.T) *build {
	t.Helper()
	b := &build{
		version: version{release: "1.2.3", pre: "rc.1"}, commit: "0123abc", arch: "amd64",
		time: time.Unix(1e9, 0).UTC(), from: t.TempDir(), maintainer: "A <a@b.example>",
	}
	for _, f := range layoutFiles {
		if err := os.WriteFile(filepath.Join(b.from, f.source), []byte(f.source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestParseVersion(t *testing.T) {
	for s, want := range map[string][3]string{ // name, prerelease in packages, tag
		"v1.2.3":           {"1.2.3", "", "1.2.3"},
		"1.2.3":            {"1.2.3", "", "1.2.3"},
		"v1.2.3-rc.1":      {"1.2.3-rc.1", "rc.1", "1.2.3-rc.1"},
		"v1.2.3-0.2026-ab": {"1.2.3-0.2026-ab", "0.2026.ab", "1.2.3-0.2026-ab"},
		"v1.2.3-a+dirty":   {"1.2.3-a+dirty", "a", "1.2.3-a-dirty"},
	} {
		v, err := parseVersion(s)
		if got := [3]string{v.String(), v.prerelease(), v.tag()}; got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"", "v", "1.2", "v1.2.3.4", "v1.2.3-", "latest", "v1.2.3 "} {
		if v, err := parseVersion(s); err == nil {
			t.Errorf("%q is taken for %v", s, v)
		}
	}
}

// Two runs give the same bytes, under the names that each kind of package wants.
func TestPackAll(t *testing.T) {
	b := sample(t)
	var runs [2]map[string][]byte
	for i := range runs {
		to := t.TempDir()
		if err := b.packAll(to); err != nil {
			t.Fatal(err)
		}
		runs[i] = map[string][]byte{}
		entries, err := os.ReadDir(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if runs[i][e.Name()], err = os.ReadFile(filepath.Join(to, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{
		"mmtrace-1.2.3~rc.1-1.x86_64.rpm", "mmtrace_1.2.3-rc.1_linux_amd64.oci.tar",
		"mmtrace_1.2.3-rc.1_linux_amd64.tar.gz", "mmtrace_1.2.3~rc.1_amd64.deb",
	} {
		switch first, ok := runs[0][name]; {
		case !ok:
			t.Errorf("there is no %s", name)
		case !bytes.Equal(first, runs[1][name]):
			t.Errorf("%s is another one each time", name)
		}
	}
	if len(runs[0]) != 4 {
		t.Errorf("%d packages, want 4", len(runs[0]))
	}
}

// The image is what two kinds of tools expect of it.
func TestImage(t *testing.T) {
	b := sample(t)
	list, err := b.files()
	if err != nil {
		t.Fatal(err)
	}
	name, content, err := b.image(list)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	saved, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(saved); err != nil {
		t.Errorf("as a file of docker save: %v", err)
	}
	dir := t.TempDir()
	unpack(t, content, dir)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("as an OCI layout: %v", err)
	}
	config, err := saved.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(config.OS, config.Architecture, config.Config.Entrypoint, config.Created); got != "linuxamd64[/usr/bin/mmtrace] 2001-09-09 01:46:40 +0000 UTC" {
		t.Errorf("the image is %s", got)
	}
}

// unpack writes the files of a tar file below dir.
func unpack(t *testing.T, content []byte, dir string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(content)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(filepath.Join(dir, h.Name), 0o700)
		} else if err == nil {
			var body []byte
			if body, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(filepath.Join(dir, h.Name), body, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What a package installs has one place, and a mode that all may read.
func TestLayout(t *testing.T) {
	list, err := sample(t).files()
	if err != nil {
		t.Fatal(err)
	}
	var dests []string
	for _, f := range list {
		if f.mode&0o444 != 0o444 || f.binary != (f.mode&0o111 != 0) {
			t.Errorf("%s has the mode %o", f.source, f.mode)
		}
		dests = append(dests, f.dest)
	}
	slices.Sort(dests)
	if len(slices.Compact(dests)) != len(list) {
		t.Errorf("%q are not all different", dests)
	}
}
