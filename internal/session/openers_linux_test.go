package session

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// TestOpeners compares who is told to have opened files with who did: "path: function
// DESCRIPTORS+MAPPINGS". Of what came by a way that is not seen nobody is told.
func TestOpeners(t *testing.T) {
	dir := t.TempDir()
	fx := testutil.Start(t, testutil.Compile(t, "opens.c", "-O2"), dir)
	s := start(t, fx.PID(), Config{FilesBudget: time.Minute})
	var said []string
	runUntil(t, s, func() { said = fx.Run() })
	r := finalReport(s)
	fx.Close()
	if len(said) > 0 {
		t.Fatalf("the fixture says %q", said)
	}
	var got []string
	for i := range r.Files {
		f := &r.Files[i]
		if strings.HasPrefix(f.Path, dir) || f.Kind == report.MemFile {
			got = append(got, filepath.Base(f.Path)+":"+openersOf(f))
		}
	}
	slices.Sort(got)
	want := []string{
		"again: open_two 1+1", // the newest of two
		"both: open_two 1+2 open_one 0+1",
		"copied: open_two 2+1",
		"many: open_two 40+0 open_one 2+0",
		"mine: open_one 0+1",
		"old:", // before the window
		"opens-reused: make_memory 0+1",
		"sent:", // through a socket
		"thread: open_stream 1+1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who opened what (-want +got):\n%s", diff)
	}
}

// opensFiles are the functions of the fixture that open files.
var opensFiles = []string{"open_one", "open_two", "open_stream", "make_memory"}

// openersOf names the openers of a file by the functions of the fixture.
func openersOf(f *report.File) string {
	var b strings.Builder
	for _, o := range f.Openers {
		name := "nobody known"
		if i := slices.IndexFunc(o.Frames, func(f stack.Frame) bool { return slices.Contains(opensFiles, f.Function) }); i >= 0 {
			name = o.Frames[i].Function
		}
		fmt.Fprintf(&b, " %s %d+%d", name, o.Descriptors, o.Mappings)
	}
	return b.String()
}
