package report

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// Python writes the names of its functions for tools since this minor version of 3,
// if it is told to; see https://docs.python.org/3/howto/perf_profiling.html.
const perfPython = 12

// pythonNames returns a sentence if a path goes through the Python interpreter and
// names none of Python's functions; once, of the first such path.
func pythonNames(paths []Path) []string {
	for i := range paths {
		module, ok := unnamedPython(paths[i].Frames)
		if !ok {
			continue
		}
		switch minor, known := pythonVersion(module); {
		case !known:
			return []string{"Calls go through Python without the names of Python's own functions: Python 3.12 and newer tells them if it is started with -X perf. " + perfFrames}
		case minor < perfPython:
			return []string{fmt.Sprintf("Calls go through Python 3.%d without the names of Python's own functions: Python 3.12 and newer tells them if it is started with -X perf.", minor)}
		default:
			return []string{fmt.Sprintf("Calls go through Python 3.%d without the names of Python's own functions: started with python3.%d -X perf, or PYTHONPERFSUPPORT=1 in its environment, it tells them. %s", minor, minor, perfFrames)}
		}
	}
	return nil
}

// perfFrames says how many frames a walk then finds: those of the functions that
// Python makes for it, and the interpreter's, have nothing but frame pointers.
const perfFrames = "If Python was built without frame pointers, only the innermost is found."

// unnamedPython returns the module of the interpreter's loop if frames are in it and
// in no function that Python has named.
func unnamedPython(frames []stack.Frame) (module string, ok bool) {
	for i := range frames {
		f := &frames[i]
		if strings.HasPrefix(f.Function, "py::") {
			return "", false
		}
		if !ok && strings.HasPrefix(f.Function, "_PyEval_EvalFrame") {
			module, ok = f.Module, true
		}
	}
	return module, ok
}

// pythonVersion returns the minor version of Python 3 that a module's name tells:
// 13 of libpython3.13.so.1.0.
func pythonVersion(module string) (minor int, ok bool) {
	_, rest, found := strings.Cut(path.Base(module), "python3.")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	minor, err := strconv.Atoi(rest[:digits])
	return minor, found && err == nil
}
