package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
)

func TestOutputWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	link := filepath.Join(dir, "link.json")
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Symlink("x.json", link)); err != nil {
		t.Fatal(err)
	}
	fill := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		}
	}
	boom := errors.New("boom")
	err := output{path: link}.write(streams{}, fill("half", boom))
	if !errors.Is(err, boom) || err.Error() != "writing "+link+": boom" {
		t.Errorf("error %v", err)
	}
	wantFile(t, path, "old")

	if err := (output{path: link}).write(streams{}, fill("new", nil)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode changed: %v, %v", info.Mode(), err)
	}
	if err := (output{path: "/dev/full"}).write(streams{}, fill("x", nil)); err == nil {
		t.Error("a full device took it")
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	var out, errs strings.Builder
	s := streams{out: stream{Writer: &out}, err: stream{Writer: &errs}}
	if err := errors.Join(output{path: stdoutPath}.write(s, fill("o", nil)), output{}.write(s, fill("e", nil))); err != nil {
		t.Fatal(err)
	}
	if out.String() != "o" || errs.String() != "e" {
		t.Errorf("stdout %q, stderr %q", &out, &errs)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}

func TestResolveOutputs(t *testing.T) {
	tests := []struct {
		name      string
		paths     string
		format    string
		command   bool
		want      string // "path=format" of each
		recording string
	}{
		{name: "nothing said", want: "-=text"},
		{name: "a format", format: "json", want: "-=json"},
		{name: "beside a command", command: true, want: "=text"},
		{name: "by extension", paths: "a.json,b.FOLDED,-", want: "a.json=json b.FOLDED=folded -=text"},
		{name: "the extension wins", paths: "a.json,b,-", format: "folded", want: "a.json=json b=folded -=folded"},
		{name: "a recording and a report", paths: "a.mmtrace", want: "-=text", recording: "a.mmtrace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOptions()
			if tt.paths != "" {
				o.paths.words = strings.Split(tt.paths, ",")
			}
			o.format.word = tt.format
			if tt.command {
				o.command = []string{"x"}
			}
			if err := o.resolveOutputs(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, out := range o.outputs {
				got = append(got, out.path+"="+string(out.format))
			}
			if strings.Join(got, " ") != tt.want || o.recording != tt.recording {
				t.Errorf("outputs %q, recording %q", got, o.recording)
			}
		})
	}
}

func TestWriteReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	o := newOptions()
	o.paths.words = []string{"none/y.json", path, "-"}
	o.format.word = "folded"
	if err := o.finish(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := &report.Report{Paths: []report.Path{{Comm: "x", Call: "mmap", Bytes: 4096, Count: 1}}}
	err := o.writeReport(streams{out: stream{Writer: &out}}, r)
	if err == nil || err.Error() != "writing none/y.json: no such file or directory" {
		t.Errorf("error %v", err)
	}
	if !strings.HasSuffix(out.String(), " 4096\n") {
		t.Errorf("stdout %q", &out)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%s: %v, %v", path, info, err)
	}
}

func TestExportOptions(t *testing.T) {
	o := newOptions()
	o.top, o.minSize, o.colour.word = 0, 4096, "always"
	got := o.exportOptions(stream{Writer: io.Discard, width: 120})
	if got.Top != -1 || got.MinSize != 4096 || got.Width != 120 || !got.Color || got.Value != "bytes" || got.Sort != "bytes" {
		t.Errorf("options %+v", got)
	}
	if got := o.exportOptions(stream{}); got.Color {
		t.Error("colour in a file")
	}
}

func TestFinishedJudgesAndWrites(t *testing.T) {
	o := newOptions()
	if err := o.finish(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var judged *report.Report
	j := &job{options: o, streams: streams{out: stream{Writer: &out}}}
	j.judge = func(r *report.Report) { judged = r }
	r := &report.Report{}
	if err := j.finished(r); err != nil {
		t.Fatal(err)
	}
	if judged != r || out.Len() == 0 {
		t.Errorf("judged %p, want %p; %d bytes written", judged, r, out.Len())
	}
}
