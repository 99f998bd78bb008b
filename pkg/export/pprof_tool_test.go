package export

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// go tool pprof shows our files as testdata/pprof has it: names of C++ are whole,
// and the flat value is that of the caller of mmap.
func TestPprofTool(t *testing.T) {
	dir := t.TempDir()
	for name, r := range map[string]*report.Report{"plain": plainLeak(), "rich": rich(), "several": several()} {
		if err := os.WriteFile(filepath.Join(dir, name), encoded(t, r, PprofOptions{}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		file string
		args []string
	}{
		{"top-inuse", []string{"-top", "rich"}},
		{"top-alloc", []string{"-top", "-sample_index=alloc_space", "rich"}},
		{"top-objects", []string{"-top", "-cum", "-sample_index=alloc_objects", "several"}},
		{"peek", []string{"-peek", "make_buffer|lambda", "rich"}},
		{"traces", []string{"-traces", "rich"}},
		{"tags", []string{"-tags", "several"}},
		{"tagfocus", []string{"-top", "-tagfocus=comm=thumbnailer-wrk", "several"}},
		{"lines", []string{"-top", "-lines", "plain"}},
		{"diff", []string{"-top", "-sample_index=alloc_space", "-diff_base=plain", "rich"}},
		{"comments", []string{"-comments", "rich"}},
		{"raw", []string{"-raw", "plain"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			golden(t, filepath.Join("pprof", "tool-"+tt.file+".txt"), pprofTool(t, dir, tt.args...))
		})
	}
}

// pprofTool runs go tool pprof in dir and returns what it prints.
func pprofTool(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"tool", "pprof"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C", "GOFLAGS=", "GOWORK=off", "PPROF_TMPDIR="+dir, "PPROF_BINARY_PATH="+dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
	}
	if err != nil {
		t.Fatalf("go tool pprof %q: %v\n%s", args, err, &errs)
	}
	return out.String()
}
