package stack

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		frame Frame
		want  []string
	}{
		{Frame{}, nil},
		{Frame{Function: "f()", Linkage: "_Z1fv", Module: "/usr/lib/liba.so", File: "src/a.cc"},
			[]string{"f()", "_Z1fv", "/usr/lib/liba.so", "liba.so", "src/a.cc", "a.cc"}},
		{Frame{Module: "[anon:a/b]", File: "a.c"}, []string{"[anon:a/b]", "a.c"}},
		{Frame{Module: "/"}, []string{"/"}},
	} {
		if got := tt.frame.Names(); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.frame, got, tt.want)
		}
	}
}
