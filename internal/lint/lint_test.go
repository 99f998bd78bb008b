package lint

import (
	"bytes"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const module = "github.com/mmtrace/mmtrace"

// impure are imports with which code reaches for the machine.
var impure = []string{"os", "syscall", "net", "unsafe", "log", "io/ioutil", "golang.org/x/sys", "runtime", "sync", module + "/internal", module + "/cmd"}

// clock are the functions of package time that look at a clock or wait for one.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// within reports whether path is one of the packages, or below one.
func within(path string, packages ...string) bool {
	return slices.ContainsFunc(packages, func(p string) bool {
		return path == p || strings.HasPrefix(path, p+"/")
	})
}

// The core runs in a fuzzer, on any system, from a text file.
func TestCoreIsPure(t *testing.T) {
	for _, f := range sources(t) {
		if !strings.HasPrefix(f.path, "pkg/") || f.isTest() {
			continue
		}
		for _, imp := range f.imports() {
			if within(imp, impure...) {
				t.Errorf("%s imports %s; pkg/ must stay free of I/O and of internal/", f.path, imp)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: starts a goroutine; pkg/ leaves that to its callers", f.at(n))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: time.%s; pkg/ has no clock but the events'", f.at(n), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestImportsHaveTheirRoom(t *testing.T) {
	for _, rule := range []struct {
		imp   string
		rooms []string
	}{
		{"github.com/spf13/cobra", []string{"cmd"}},
		{"github.com/spf13/pflag", []string{"cmd"}},
		{"log/slog", []string{"cmd", "internal"}},
		{"github.com/cilium/ebpf", []string{"internal", "cmd"}},
	} {
		for _, f := range sources(t) {
			for _, imp := range f.imports() {
				if within(imp, rule.imp) && !within(f.path, rule.rooms...) {
					t.Errorf("%s imports %s, which belongs in %s", f.path, imp, strings.Join(rule.rooms, " and "))
				}
			}
		}
	}
}

// Tests compare with == and go-cmp.
func TestNoAssertionLibraries(t *testing.T) {
	for _, f := range sources(t) {
		for _, imp := range f.imports() {
			if within(imp, "github.com/stretchr", "github.com/onsi", "gotest.tools", "github.com/golang/mock", "go.uber.org/mock") {
				t.Errorf("%s imports %s; the standard library and go-cmp are enough", f.path, imp)
			}
		}
	}
}

func TestUnsafeIsNamed(t *testing.T) {
	for _, f := range sources(t) {
		if slices.Contains(f.imports(), "unsafe") && !f.generated() &&
			!regexp.MustCompile(`_unsafe(_test)?\.go$|_layout(_[a-z]+)*_test\.go$`).MatchString(f.path) {
			t.Errorf("%s imports unsafe; only *_unsafe.go and layout tests may", f.path)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	const most = 400
	for _, f := range sources(t) {
		if n := bytes.Count(f.text, []byte("\n")); n > most && !f.generated() {
			t.Errorf("%s has %d lines; more than %d are two files", f.path, n, most)
		}
	}
}

// Errors say what was being done and to what, as a part of a sentence.
func TestErrorTexts(t *testing.T) {
	for _, f := range sources(t) {
		if f.isTest() || f.generated() {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if text, ok := errorText(n); ok {
				if bad := badError(text); bad != "" {
					t.Errorf("%s: error %q %s", f.at(n), text, bad)
				}
			}
			return true
		})
	}
}

// errorText returns the literal text that n makes an error of.
func errorText(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	pkg, ok := fun.X.(*ast.Ident)
	if !ok || !(pkg.Name == "fmt" && fun.Sel.Name == "Errorf" || pkg.Name == "errors" && fun.Sel.Name == "New") {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// badError says what is wrong with the text of an error, or nothing.
func badError(text string) string {
	word, _, _ := strings.Cut(text, " ")
	switch {
	case strings.Contains(text, "failed to"):
		return `says "failed to"; a participle says what was being done`
	case text == "%w" || strings.HasPrefix(text, ":") || strings.HasPrefix(text, " "):
		return "adds nothing in front of the cause"
	case strings.TrimSpace(text) == "":
		return "is empty"
	case strings.HasSuffix(text, ".") || strings.HasSuffix(text, "\n"):
		return "ends like a sentence"
	case len(word) > 1 && unicode.IsUpper(rune(word[0])) && unicode.IsLower(rune(word[1])):
		return "begins with a capital"
	}
	return ""
}

func TestBadError(t *testing.T) {
	for text, bad := range map[string]bool{
		"attaching to process %d: %w": false,
		"PROCMAP_QUERY: %w":           false,
		"%s:%d: %w":                   false,
		"failed to attach: %w":        true,
		"Attaching: %w":               true,
		"%w":                          true,
		": %w":                        true,
		"":                            true,
		"no such process.":            true,
	} {
		if got := badError(text); (got != "") != bad {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// Nothing names places of the machine on which it was written.
func TestNoPrivatePaths(t *testing.T) {
	private := regexp.MustCompile(`(^|[^[:alnum:]_.~$}-])/(` + "work" + `(/|[^[:alnum:]_]|$)|` + "root" + `/)`)
	walk(t, func(path string, text []byte) {
		if bytes.IndexByte(text, 0) >= 0 { // not a text
			return
		}
		n := 0
		for line := range bytes.Lines(text) {
			if n++; private.Match(line) {
				t.Errorf("%s:%d: names a private path: %s", path, n, bytes.TrimSpace(line))
			}
		}
	})
}
