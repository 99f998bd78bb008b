package report_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

func TestParseSuppressions(t *testing.T) {
	got, err := report.ParseSuppressions("a.supp", "# known\n\n  leak:load_image \r\n#leak:x\nleak:^/opt/*/libfoo.so$")
	want := []report.Suppression{{Text: "leak:load_image", File: "a.supp", Line: 3}, {Text: "leak:^/opt/*/libfoo.so$", File: "a.supp", Line: 5}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(report.Suppression{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"leak:a\nfoo":     `f:2: want leak:PATTERN or a comment that begins with #, got "foo"`,
		"race:a":          `f:1: want leak:PATTERN or a comment that begins with #, got "race:a"`,
		"leak: a\n leak:": `f:2: want a pattern that does not match everything, got "leak:"`,
		"leak:^*$":        `f:1: want a pattern that does not match everything, got "leak:^*$"`,
	} {
		list, err := report.ParseSuppressions("f", text)
		if list != nil || err == nil || err.Error() != want {
			t.Errorf("%q: %d, %v, want %s", text, len(list), err, want)
		}
	}
}

func TestSuppressionMatches(t *testing.T) {
	frames := []stack.Frame{
		{Function: "mmap", Module: "/usr/lib/libc.so.6"}, {Function: "img::load(int)", Linkage: "_ZN3img4loadEi", Module: "/opt/v1/libimg.so.2", File: "/src/img/load.cc"},
		{Module: "[anon]"}, {},
	}
	for pattern, want := range map[string]bool{
		"load": true, "img::load(int)": true, "^load": true, "^load.cc$": true, "^oad": false, "load$": false, "img*int": true,
		"^img*)$": true, "_ZN3img": true, "^/opt/*/libimg.so": true, "^libimg.so.2$": true, "libimgXso": false,
		"a*b*c*d": false, "LOAD": false, "[anon]": true, "img.*int": false, "^libimg*$": true, "main": false,
		"libc": true, "i$": true, "x$y": false,
	} {
		list, err := report.ParseSuppressions("f", "leak:"+pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := list[0].Matches(frames); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

// What a suppression matches is no leak, whatever else holds, and stays in totals.
func TestSuppress(t *testing.T) {
	f := func(name string) []stack.Frame { return []stack.Frame{{Function: "mmap"}, {Function: name}} }
	leak := verdict.Verdict{Kind: verdict.Leak, Why: "All of it.", Longer: 5}
	build := func() *report.Report {
		return &report.Report{Paths: []report.Path{
			{Bytes: 100, Count: 2, Frames: f("load_image"), Verdict: leak}, {Bytes: 30, Count: 1, Frames: f("load_font"), Verdict: leak},
			{Bytes: 7, Count: 1, Frames: f("other"), Verdict: leak}, {Bytes: 1, Count: 1, Frames: f("load_once"), Verdict: verdict.Verdict{Kind: verdict.Once}},
		}, Totals: report.Totals{OutstandingBytes: 138},
			Remnants: []report.Remnant{{Left: 5, MappedAt: f("load_image"), UnmappedAt: f("x")}, {Left: 6, MappedAt: f("x"), UnmappedAt: f("load_image")}}}
	}
	list, err := report.ParseSuppressions("f", "leak:unused\nleak:image\nleak:load\nleak:load_font\n")
	if err != nil {
		t.Fatal(err)
	}
	r := build()
	report.Suppress(r, list)
	want := build()
	why := func(s string) verdict.Verdict { return verdict.Verdict{Kind: verdict.Suppressed, Enough: true, Why: s} }
	want.Paths[0].Verdict = why("It matches leak:image. Else: leak. All of it.")
	want.Paths[1].Verdict = why("It matches leak:load. Else: leak. All of it.")
	want.Paths[3].Verdict = why("It matches leak:load. Else: once.")
	want.Remnants = want.Remnants[1:]
	want.Suppressed = []report.Suppressed{{Suppression: list[0]}, {Suppression: list[1], Paths: 1, Bytes: 100, Mappings: 2},
		{Suppression: list[2], Paths: 2, Bytes: 31, Mappings: 2}, {Suppression: list[3]}}
	if diff := cmp.Diff(want, r, cmpopts.IgnoreUnexported(report.Suppression{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, holds := range map[string]bool{"leaked>6": true, "leaked>7": false, "outstanding>137": true} {
		c, err := report.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Find(r).Holds; got != holds {
			t.Errorf("%s: %v, want %v", text, got, holds)
		}
	}
}

// matches is the plainest reading of what a pattern means.
func matches(pattern, name string) bool {
	pattern, begin := strings.CutPrefix(pattern, "^")
	pattern, end := strings.CutSuffix(pattern, "$")
	if !begin {
		pattern = "*" + pattern
	}
	if !end {
		pattern += "*"
	}
	return glob(pattern, name)
}

// glob matches all of name.
func glob(pattern, name string) bool {
	// at[i] says that the pattern so far matches name[:i].
	at := make([]bool, len(name)+1)
	at[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(at))
		for k := range at {
			if pattern[i] == '*' {
				next[k] = at[k] || k > 0 && next[k-1]
			} else {
				next[k] = k > 0 && at[k-1] && name[k-1] == pattern[i]
			}
		}
		at = next
	}
	return at[len(name)]
}

// FuzzSuppressions reads any text as suppressions. What is read says so again, and
// matches what the plainest reading of its pattern does.
func FuzzSuppressions(f *testing.F) {
	for _, s := range []string{"leak:load\n# x\n leak:^a*b$", "leak:", "race:x", "leak:a$b^c", "leak:**", "leak:(.+\\", "\xff", "leak:\xff*", "leak:a\rb"} {
		f.Add(s, "load_image")
		f.Add(s, "aXb\n\xffb")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		list, err := report.ParseSuppressions("f", text)
		var bad *report.SuppressionError
		if err != nil {
			if !errors.As(err, &bad) || bad.Line < 1 || bad.Line > strings.Count(text, "\n")+1 || !strings.Contains(text, bad.Text) {
				t.Fatalf("error %v of %q", err, text)
			}
			return
		}
		lines := strings.Split(text, "\n")
		for _, s := range list {
			if strings.TrimSpace(lines[s.Line-1]) != s.Text {
				t.Fatalf("line %d of %q is not %q", s.Line, text, s.Text)
			}
			again, err := report.ParseSuppressions("f", s.Text)
			if err != nil || len(again) != 1 || again[0].Text != s.Text {
				t.Fatalf("%q again: %v, %v", s.Text, again, err)
			}
			pattern := strings.TrimPrefix(s.Text, "leak:")
			if got := s.Matches([]stack.Frame{{Linkage: name}}); name != "" && got != matches(pattern, name) {
				t.Fatalf("%q and %q: %v", s.Text, name, got)
			}
		}
	})
}
