package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

const (
	summary     = "find what maps memory and never unmaps it"
	description = `mmtrace attaches to a running process, follows every call that changes its
address space (mmap, munmap, mremap, brk and others), and reports which call
paths map memory and never unmap it. The process needs no restart and no
change. It takes Linux 5.15 or newer with BTF, and root or three capabilities.`
)

func (b *build) deb(list []file) (string, []byte, error) {
	info := b.info()
	info.Section = "devel"
	info.Description = summary + "\n" + description // the first line is the summary
	return b.pack(deb.Default, info, append(b.debian(deb.Default.ConventionalFileName(info)), list...), false)
}

func (b *build) rpm(list []file) (string, []byte, error) {
	info := b.info()
	info.Release = "1"
	info.RPM.Summary = strings.ToUpper(summary[:1]) + summary[1:]
	info.RPM.BuildHost = "localhost" // else the machine's name
	info.RPM.Group = "Development/Tools"
	return b.pack(rpm.DefaultRPM, info, list, true)
}

// info returns what a deb and an rpm say alike.
func (b *build) info() *nfpm.Info {
	return &nfpm.Info{
		Name:            "mmtrace",
		Arch:            b.arch,
		Platform:        "linux",
		Version:         b.version.release,
		VersionSchema:   "none", // it is taken apart already
		Prerelease:      b.version.prerelease(),
		VersionMetadata: b.version.meta,
		Priority:        "optional",
		Maintainer:      b.maintainer,
		Description:     description,
		Homepage:        "https://github.com/mmtrace/mmtrace",
		License:         "Apache-2.0",
		MTime:           b.time,
		DisableGlobbing: true,
	}
}

// debian returns the files that only a deb has: a changelog in Debian's form,
// and why lintian need not worry.
func (b *build) debian(name string) []file {
	version := strings.Split(name, "_")[1]
	changelog := fmt.Sprintf("mmtrace (%s) unstable; urgency=medium\n\n  * Version %s.\n    CHANGELOG.md.gz tells what changed.\n\n -- %s  %s\n",
		version, b.version, b.maintainer, b.time.Format(time.RFC1123Z))
	return []file{
		{source: "changelog", dest: "/usr/share/doc/mmtrace/changelog", mode: 0o644, gzip: true, body: []byte(changelog)},
		{source: "overrides", dest: "/usr/share/lintian/overrides/mmtrace", mode: 0o644, body: []byte(overrides)},
	}
}

const overrides = `# A program of Go, without cgo.
mmtrace: statically-linked-binary [usr/bin/mmtrace]
# The texts that the licences of its parts want to be passed on, word for word.
mmtrace: copyright-file-contains-full-apache-2-license
mmtrace: copyright-not-using-common-license-for-apache2
`

// pack lets nfpm make a package of the files, which it reads from a directory.
func (b *build) pack(p nfpm.Packager, info *nfpm.Info, list []file, isRPM bool) (string, []byte, error) {
	dir, err := os.MkdirTemp("", "mmtrace-packaging-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir)
	for _, f := range list {
		f, err := f.installed(isRPM)
		if err != nil {
			return "", nil, err
		}
		source := filepath.Join(dir, f.source)
		if err := os.WriteFile(source, f.body, 0o600); err != nil {
			return "", nil, err
		}
		info.Contents = append(info.Contents, &files.Content{
			Source: source, Destination: f.dest,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: b.time},
		})
	}
	name := p.ConventionalFileName(info)
	var out bytes.Buffer
	if err := p.Package(info, &out); err != nil {
		return "", nil, fmt.Errorf("packing %s: %w", name, err)
	}
	return name, out.Bytes(), nil
}
