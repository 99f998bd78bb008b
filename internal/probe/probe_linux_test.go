package probe

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestSelf(t *testing.T) {
	p, err := Open(Options{})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer p.Close()
	fd, _ := unix.PidfdOpen(os.Getpid(), 0)
	start := time.Now()
	found, err := p.Add([]Target{{Pidfd: fd, Cookie: 7}})
	t.Log(found, err, time.Since(start))
	b, err := unix.Mmap(-1, 0, 12345, 3, unix.MAP_PRIVATE|unix.MAP_ANON)
	unix.Munmap(b)
	t.Log(p.State(found[0].Space))
	for {
		var ev event.Event
		if err := p.Read(&ev, time.Now().Add(100*time.Millisecond)); err != nil {
			t.Log(err)
			break
		}
		t.Logf("%+v", ev)
	}
	c, err := p.Counters()
	t.Logf("%+v %v", c, err)
}
