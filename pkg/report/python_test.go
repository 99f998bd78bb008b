package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Where a path goes through Python and none of Python's functions has a name, the
// report says once what gives them one.
func TestPythonNames(t *testing.T) {
	through := func(module, function string) Path {
		return Path{Frames: []stack.Frame{{Function: "mmap", Module: "/lib/libc.so.6"},
			{Function: "_PyEval_EvalFrameDefault", Module: module}, {Function: function, Module: module}}}
	}
	const (
		lib   = "/usr/lib/libpython3.13.so.1.0"
		named = "py::handle:/srv/app.py"
	)
	for name, tt := range map[string]struct {
		paths []Path
		want  []string
	}{
		"nothing":      {},
		"not Python":   {paths: []Path{{Frames: []stack.Frame{{Function: "main", Module: "/usr/bin/python3.13"}}}}},
		"with names":   {paths: []Path{through(lib, named)}},
		"a library":    {[]Path{through(lib, named), through(lib, "Py_BytesMain"), through(lib, "Py_Main")}, []string{"Calls go through Python 3.13 without the names of Python's own functions: started with python3.13 -X perf, or PYTHONPERFSUPPORT=1 in its environment, it tells them. If Python was built without frame pointers, only the innermost is found."}},
		"a program":    {[]Path{through("/usr/bin/python3.12", "main")}, []string{"Calls go through Python 3.12 without the names of Python's own functions: started with python3.12 -X perf, or PYTHONPERFSUPPORT=1 in its environment, it tells them. If Python was built without frame pointers, only the innermost is found."}},
		"an old one":   {[]Path{through("/usr/bin/python3.11", "main")}, []string{"Calls go through Python 3.11 without the names of Python's own functions: Python 3.12 and newer tells them if it is started with -X perf."}},
		"some version": {[]Path{through("/opt/app/server", "main")}, []string{"Calls go through Python without the names of Python's own functions: Python 3.12 and newer tells them if it is started with -X perf. If Python was built without frame pointers, only the innermost is found."}},
	} {
		if diff := cmp.Diff(tt.want, pythonNames(tt.paths)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
