package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

func TestMissing(t *testing.T) {
	path := func(modules ...string) Path {
		var p Path
		for _, m := range modules {
			p.Frames = append(p.Frames, stack.Frame{Module: m})
		}
		p.Frames = append(p.Frames, stack.Frame{Module: "/usr/bin/named", Function: "main"})
		return p
	}
	files := []MissingFacts{
		{Path: "/lib/libone.so.1", BuildID: "aa", Nameless: 1},
		{Path: "/lib/libmany.so.2", BuildID: "bb", Nameless: 9, Lineless: 9},
		{Path: "/lib/libbare.so", Nameless: 2},
		{Path: "/lib/libother.so", BuildID: "cc", Nameless: 1},
		{Path: "/lib/libunseen.so", BuildID: "dd", Nameless: 50},
		{Path: "/usr/bin/named", BuildID: "ee", Lineless: 5},
	}
	r := &Report{Paths: []Path{path("/lib/libone.so.1", "/lib/libmany.so.2"), path("/lib/libbare.so", "/lib/libother.so", "/usr/bin/named")}}
	want := []string{
		"libmany.so.2 has functions without a name: install its debug information (its -dbg, -dbgsym or -debuginfo package), or set DEBUGINFOD_URLS.",
		"libbare.so has functions without a name, and no build ID to look for its debug information by.",
		"libone.so.1 has functions without a name: install its debug information (its -dbg, -dbgsym or -debuginfo package), or set DEBUGINFOD_URLS.",
		"1 more file has functions without a name.",
	}
	if diff := cmp.Diff(want, missing(r, files)); diff != "" {
		t.Errorf("caveats (-want +got):\n%s", diff)
	}
	if got := missing(&Report{}, files); got != nil {
		t.Errorf("for no path: %q", got)
	}
}
