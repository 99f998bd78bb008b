package export

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// A place is named without its parameters, and never without its name.
func TestShortLabel(t *testing.T) {
	for function, want := range map[string]string{
		"make_buffer": "make_buffer",
		"v8::base::OS::Allocate(void*, unsigned long, v8::base::OS::MemoryPermission)": "v8::base::OS::Allocate",
		"heap::Grow(std::function<void* (unsigned long)> const&)":                      "heap::Grow",
		"T::size() const":                       "T::size",
		"f(int) [clone .cold]":                  "f",
		"T::operator()(int) const":              "T::operator()",
		"T::operator()":                         "T::operator()",
		"main.(*T).Method":                      "main.(*T).Method",
		"(anonymous namespace)":                 "(anonymous namespace)",
		"node::Buffer::(anonymous namespace)":   "node::Buffer::(anonymous namespace)",
		"node::(anonymous namespace)::Run(int)": "node::(anonymous namespace)::Run",
		"{closure#0}":                           "{closure#0}",
		"a)":                                    "a)",
		"()":                                    "()",
		")(":                                    ")(",
	} {
		if got := shortLabel(&stack.Frame{Function: function, Module: "/a"}); got != want {
			t.Errorf("%q: %q, want %q", function, got, want)
		}
	}
	if got := shortLabel(&stack.Frame{Module: "/opt/lib(1).so", Offset: 16}); got != "[lib(1).so+0x10]" {
		t.Errorf("without a name: %q", got)
	}
}
