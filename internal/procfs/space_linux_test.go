package procfs

import (
	"errors"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// A map that is read while its process is killed is whole, or it is none: never the
// part that was read before the end.
func TestSpaceMapIsWholeOrNone(t *testing.T) {
	testutil.LockMachine(t) // no test may lower a limit meanwhile
	const tries, mappings = 30, 20000
	exe := testutil.Compile(t, "many.c", "-O2")
	none := 0
	for i := range tries {
		fixture := testutil.Start(t, exe, strconv.Itoa(mappings))
		fixture.Run()
		p, err := Open(event.PID(fixture.PID()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.OpenMap()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		whole, err := m.Read()
		took := time.Since(began)
		if err != nil || len(whole) < mappings {
			t.Fatalf("%d regions, error %v", len(whole), err)
		}
		time.AfterFunc(took*time.Duration(i)/tries, func() { _ = syscall.Kill(fixture.PID(), syscall.SIGKILL) })
		switch got, err := m.Read(); {
		case errors.Is(err, ErrNoProcess):
			none++
		case err != nil || len(got) != len(whole):
			t.Errorf("try %d: %d of %d regions, error %v", i, len(got), len(whole), err)
		}
		m.Close()
		p.Close()
		<-fixture.Exited()
	}
	t.Logf("%d of %d readings met the end", none, tries)
	if none == 0 {
		t.Error("no reading met the end of its process")
	}
}
