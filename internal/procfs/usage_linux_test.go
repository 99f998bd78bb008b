package procfs

import (
	"errors"
	"os"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// The usage of a process agrees with what else /proc tells of it.
func TestUsage(t *testing.T) {
	testutil.LockMachine(t) // no test may lower a limit meanwhile
	fx := testutil.Start(t, testutil.Compile(t, "pairs.c", "-O2"), "0.1")
	p, err := Open(event.PID(fx.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r, err := p.OpenUsage()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	u, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := p.TotalPages()
	if err != nil {
		t.Fatal(err)
	}
	if u.Size != pages*uint64(os.Getpagesize()) || u.RSS() == 0 || u.Threads != 1 || u.MinorFaults == 0 || u.PageTables == 0 {
		t.Errorf("%+v, and %d pages", u, pages)
	}
	fx.Run()
	after, err := r.Read()
	if err != nil || after.MinorFaults <= u.MinorFaults {
		t.Errorf("%v; faults %d, then %d", err, u.MinorFaults, after.MinorFaults)
	}
	fx.Close()
	if _, err := r.Read(); err == nil {
		t.Error("an ended process can be read")
	}
}

func TestHostUsage(t *testing.T) {
	r, err := OpenHostUsage()
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.Read()
	if err != nil || u.Available == 0 || u.Committed == 0 || u.CommitLimit == 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if err := errors.Join(err, r.Close()); err != nil {
		t.Error(err)
	}
}

func BenchmarkUsage(b *testing.B) {
	p, err := Open(event.PID(os.Getpid()))
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	r, err := p.OpenUsage()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	host, err := OpenHostUsage()
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	for b.Loop() {
		_, err1 := r.Read()
		_, err2 := host.Read()
		if err := errors.Join(err1, err2); err != nil {
			b.Fatal(err)
		}
	}
}
