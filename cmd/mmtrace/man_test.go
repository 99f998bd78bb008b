package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

func page() (*cobra.Command, string) {
	root, _ := newRoot([]string{"mmtrace"}, streams{})
	return root, manPage(root, "1.2.3", "2026-11-24")
}

// body returns a section of a page, or a subsection, without its heading.
func body(t *testing.T, page, macro, heading string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, "\n."+macro+" "+quoted(heading)+"\n")
	if !ok {
		t.Fatalf("the page has no .%s %s", macro, heading)
	}
	if end := regexp.MustCompile(`(?m)^\.S[HS] `).FindStringIndex(after); end != nil {
		after = after[:end[0]]
	}
	return after
}

// What a roff writes comes out as it went in.
func TestRoff(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.StringP("path", "p", `C:\x`, ".dots, 'quotes' and `ticks` ^~ -n\n.TH second line")
	fs.Bool("quiet", false, "ends itself.")
	r := new(roff)
	r.section(`a "b" c-d`)
	r.flags("A group", []*pflag.Flag{fs.Lookup("path"), fs.Lookup("quiet")})
	r.code(".fi\n\"$x\"  \\n")
	r.line(usage("mmtrace record -o FILE.mmtrace (-p PID | [flags] a|b)"))
	want := `.SH "A \(dqB\(dq C\-D"
.SS "A group"
.TP
\fB\-p\fR, \fB\-\-path\fR \fIstring\fR
\&.dots, \(aqquotes\(aq and \(gaticks\(ga \(ha\(ti \-n
\&.TH second line.
The default is C:\ex.
.TP
\fB\-\-quiet\fR
Ends itself.
.PP
.RS 4
.EX
\&.fi
"$x"  \en
.EE
.RE
\fBmmtrace\fR \fBrecord\fR \fB\-o\fR \fIFILE.mmtrace\fR (\fB\-p\fR \fIPID\fR | [flags] \fBa|b\fR)
`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Errorf("want - got +\n%s", diff)
	}
}

// The page has every verb, and every flag of each: in full, or by its name
// where the root's is the same.
func TestManHasTheCommandTree(t *testing.T) {
	root, page := page()
	if len(verbsOf(root)) != len(verbs) {
		t.Errorf("%d commands of %q", len(verbsOf(root)), verbs)
	}
	for _, c := range append(verbsOf(root), root) {
		about := page
		if c != root {
			about = body(t, page, "SS", usageLine(c))
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			switch {
			case f.Hidden || c != root && f.Name == "help":
			case strings.Contains(about, "\n.TP\n"+flagTerm(f)+"\n"+plain(sentence(f.Usage))):
			case c != root && strings.Contains(about, bold("--"+f.Name)) && strings.Contains(page, "\n"+plain(sentence(f.Usage))):
			default:
				t.Errorf("%s: --%s is not told", c.Name(), f.Name)
			}
		})
		for line := range strings.Lines(c.Example) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "    ")
			if !strings.Contains(page, "\n"+plain(command)+"\n") {
				t.Errorf("%s: the example %q is not there", c.Name(), command)
			}
		}
	}
}

// The page has the exit codes of exit.go.
func TestManHasTheExitCodes(t *testing.T) {
	_, page := page()
	about := body(t, page, "SH", "EXIT STATUS")
	source, err := os.ReadFile("exit.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^\texit\w+ += (\d+)`).FindAllSubmatch(source, -1)
	if len(codes) < 10 {
		t.Fatalf("exit.go has %d codes", len(codes))
	}
	for _, c := range codes {
		code := string(c[1])
		if !strings.Contains(about, "\n"+bold(code)+"\n") && !strings.Contains(about, code+" if ") {
			t.Errorf("exit code %s is not told in\n%s", code, about)
		}
	}
}

// The page has the variables that the sources ask for, and no others.
func TestManHasTheEnvironment(t *testing.T) {
	asks := regexp.MustCompile(`(?:[gG]etenv|LookupEnv)\("(\w+)"\)`)
	var want []string
	for _, dir := range []string{".", "../../internal"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.Name() == "testutil" || d.Name() == "testdata":
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			source, err := os.ReadFile(path)
			for _, m := range asks.FindAllSubmatch(source, -1) {
				want = append(want, string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, e := range manEnvironment {
		got = append(got, strings.Split(e[0], ", ")...)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("the sources -, the page +\n%s", diff)
	}
}

// Both formatters take the page without a warning.
func TestManRenders(t *testing.T) {
	_, page := page()
	file := filepath.Join(t.TempDir(), "mmtrace.1")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"mandoc", "-T", "lint", "-W", "warning", file},
		{"groff", "-man", "-T", "utf8", "-ww", "-z", file},
	} {
		t.Run(args[0], func(t *testing.T) {
			if _, err := exec.LookPath(args[0]); err != nil {
				testutil.Need(t, args[0])
			}
			out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
			if len(bytes.TrimSpace(out)) > 0 || err != nil {
				t.Errorf("%q: %v\n%s", args, err, out)
			}
		})
	}
}
