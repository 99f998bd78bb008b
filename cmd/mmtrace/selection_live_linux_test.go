package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// Frames are matched by the names that they have at the end, live and from a
// recording alike.
func TestSelectionLive(t *testing.T) {
	needTracing(t)
	dir := t.TempDir()
	supp, rec := filepath.Join(dir, "known.supp"), filepath.Join(dir, "x.mmtrace")
	if err := os.WriteFile(supp, []byte("leak:^many_even$\nleak:many_other"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := []string{"-X", "^many_odd$", "--suppressions", supp, "--tail", "25%", "-v"}
	p := testutil.Start(t, testutil.Compile(t, "many.c", "-O2"), "1001")
	r := newRun(t, append(options, "-p", fmt.Sprint(p.PID()), "-d", "2", "-o", rec, "-o", filepath.Join(dir, "a.json"), "-o", filepath.Join(dir, "a.txt"))...)
	r.start()
	r.attached()
	p.Run()
	if got := r.wait(); got.code != exitOK || !strings.Contains(got.err, supp+":2: leak:many_other matches no call path\n") {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	got := mmtrace(t, append([]string{"report", rec, "-o", filepath.Join(dir, "b.json"), "-o", filepath.Join(dir, "b.txt")}, options...)...)
	if want := fmt.Sprintf("mmtrace: %s:2: leak:many_other matches no call path\n", supp); got.code != exitOK || got.err != want {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	for _, ext := range []string{"json", "txt"} {
		a, err := os.ReadFile(filepath.Join(dir, "a."+ext))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "b."+ext))
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("%s: the trace gave\n%s\nand the recording\n%s", ext, a, b)
		}
	}
	var rep struct {
		Window struct {
			DurationNS float64 `json:"duration_ns"`
			TailNS     float64 `json:"tail_ns"`
		}
		Selection struct {
			Paths int `json:"excluded_paths"`
			Bytes int `json:"excluded_bytes"`
		}
		Suppressions []struct{ Paths, Bytes, Count int }
		Paths        []struct{ Verdict struct{ Kind string } }
	}
	text, err := os.ReadFile(filepath.Join(dir, "b.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rep); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	if s := rep.Selection; s.Paths != 1 || s.Bytes != 500*page {
		t.Errorf("excluded %+v", s)
	}
	if s := rep.Suppressions; len(s) != 2 || s[0].Paths != 1 || s[0].Bytes != 501*page || s[0].Count != 501 || s[1].Paths != 0 {
		t.Errorf("suppressed %+v", s)
	}
	if len(rep.Paths) != 1 || rep.Paths[0].Verdict.Kind != "suppressed" {
		t.Errorf("paths %+v", rep.Paths)
	}
	if share := rep.Window.TailNS / rep.Window.DurationNS; share < 0.249 || share > 0.251 {
		t.Errorf("a tail of %v of the window", share)
	}
}
