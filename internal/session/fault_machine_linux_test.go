package session

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// ourMachine skips a test that disturbs everybody else, unless
// MMTRACE_FAULT_MACHINE=1 says that nobody else is there, as in an emulated
// machine.
func ourMachine(t *testing.T) {
	t.Helper()
	if os.Getenv("MMTRACE_FAULT_MACHINE") != "1" {
		t.Skip("this is for a machine of its own: scripts/vmmatrix")
	}
}

// disturb traces chaos.c and calls fault again and again while it works.
func disturb(t *testing.T, row *testutil.Fault, fault func()) {
	t.Helper()
	p := testutil.Start(t, testutil.Compile(t, "chaos.c", "-O2"), "4", "8", "0", "1")
	s := start(t, p.PID(), Config{})
	begin := time.Now()
	times := 0
	runUntil(t, s, func() {
		over, ended := make(chan struct{}), make(chan struct{})
		p.Send("go")
		go func() {
			defer close(ended)
			for was := 0; !isClosed(over); time.Sleep(time.Millisecond) {
				if n := minorFaults(p.PID()); n > was { // it has gone on
					fault()
					was = n
					times++
				}
			}
		}()
		p.WaitFor("done")
		close(over)
		<-ended
	})
	row.Note("%d times", times)
	checkOracle(t, s)
	checkRepaired(t, s)
	r := finalReport(s)
	took := time.Since(begin) // of the monotonic clock
	right := times > 0 && r.Quality.Lost == 0 && r.Quality.Verified && r.Window.Duration > 0 && time.Duration(r.Window.Duration) <= took
	if !right {
		t.Errorf("%v of %v: %+v", time.Duration(r.Window.Duration), took, r.Quality)
	}
	row.Add(r.Quality.Lost, right && !t.Failed())
	p.Close()
}

// TestFaultHotplug takes a processor away under load and brings it back.
func TestFaultHotplug(t *testing.T) {
	ourMachine(t)
	const online = "/sys/devices/system/cpu/cpu1/online"
	set := func(to string) {
		if err := os.WriteFile(online, []byte(to), 0); err != nil {
			t.Errorf("switching a processor: %v", err)
		}
	}
	if _, err := os.Stat(online); errors.Is(err, fs.ErrNotExist) {
		testutil.Need(t, online)
	}
	defer set("1")
	disturb(t, testutil.NewFault(t, "a processor taken away and brought back under load"), func() {
		set("0")
		set("1")
	})
}

// TestFaultClock sets the clock of the day forth and back under load. Nothing here
// may depend on it.
func TestFaultClock(t *testing.T) {
	ourMachine(t)
	step := func(by time.Duration) {
		ts := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
		if err := unix.ClockSettime(unix.CLOCK_REALTIME, &ts); err != nil {
			t.Errorf("setting the clock: %v", err)
		}
	}
	disturb(t, testutil.NewFault(t, "the clock set by hours, forth and back, under load"), func() {
		step(5 * time.Hour)
		step(-9 * time.Hour)
		step(4 * time.Hour)
	})
}
