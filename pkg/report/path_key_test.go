package report

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Code that a program made at run time lies elsewhere in every run, and is made
// anew in other frames: any number of such frames in a row is one place.
func TestPathKeyOfCodeMadeAtRunTime(t *testing.T) {
	anon := func(at uint64) stack.Frame { return stack.Frame{Module: "[anon]", Offset: at} }
	lib := func(at uint64) stack.Frame { return stack.Frame{Module: "/lib/vm.so", Offset: at} }
	key := func(fs ...stack.Frame) string { return pathKey("vm", event.Mmap, fs) }
	one := key(lib(1), anon(0x7f01), lib(2))
	for name, tt := range map[string]struct {
		key  string
		same bool
	}{
		"elsewhere":       {key(lib(1), anon(0x7f99), lib(2)), true},
		"in three frames": {key(lib(1), anon(0x7f01), anon(0x7f02), anon(0x7f03), lib(2)), true},
		"not at all":      {key(lib(1), lib(2)), false},
		"in two places":   {key(lib(1), anon(1), lib(3), anon(2), lib(2)), false},
		"with a name":     {key(lib(1), stack.Frame{Module: "[anon]", Offset: 0x7f01, Function: "render"}, lib(2)), false},
	} {
		if (tt.key == one) != tt.same {
			t.Errorf("%s: equal %v, want %v", name, tt.key == one, tt.same)
		}
	}
}
