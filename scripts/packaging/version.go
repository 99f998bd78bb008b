package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A version is one of Semantic Versioning, taken apart.
type version struct {
	release string // 1.2.3
	pre     string // rc.1, or nothing
	meta    string // what stands behind a plus, or nothing
}

var versionForm = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$`)

func parseVersion(s string) (version, error) {
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return version{}, fmt.Errorf("reading version %q: want one such as v1.2.3 or v1.2.3-rc.1", s)
	}
	return version{m[1], m[2], m[3]}, nil
}

// String returns the version as names of files have it.
func (v version) String() string {
	s := v.release
	if v.pre != "" {
		s += "-" + v.pre
	}
	if v.meta != "" {
		s += "+" + v.meta
	}
	return s
}

// prerelease returns pre without hyphens, which mean something in the versions
// of packages: deb has a revision after the last one, and rpm allows none.
func (v version) prerelease() string { return strings.ReplaceAll(v.pre, "-", ".") }

// tag returns the version as the tag of an image, which has no plus.
func (v version) tag() string { return strings.ReplaceAll(v.String(), "+", "-") }
