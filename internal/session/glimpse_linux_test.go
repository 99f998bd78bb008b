package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// What was seen of a program is known after it has ended, once.
func TestGlimpseOutlivesTheProgram(t *testing.T) {
	p := testutil.Start(t, testutil.Compile(t, "sem.c", "-O2"))
	proc, err := procfs.Open(event.PID(p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	f, err := proc.OpenMap()
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	g := new(glimpse)
	g.watch(f)
	p.Close()
	if f, err := proc.OpenMap(); err == nil {
		g.watch(f) // has nothing to add
	}
	if diff := cmp.Diff(want, g.take()); diff != "" || len(want) == 0 {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if again := g.take(); again != nil {
		t.Errorf("again %v", again)
	}
	if none := (*glimpse)(nil).take(); none != nil {
		t.Errorf("without a glimpse %v", none)
	}
}
