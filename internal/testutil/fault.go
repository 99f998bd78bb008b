package testutil

import (
	"fmt"
	"sync"
	"testing"
)

// A Fault is a row of the table of faults: what was done to a trace, how often,
// and how it went. Its methods may be called at once from several goroutines.
type Fault struct {
	mu           sync.Mutex
	what         string
	times, right int
	lost         uint64 // records
	notes        string
}

// NewFault returns a row that is logged when the test ends. scripts/test.sh
// gathers what begins with "fault|".
func NewFault(t testing.TB, what string) *Fault {
	f := &Fault{what: what}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		t.Logf("fault| %-58s %5d %8d %7d  %s", f.what, f.times, f.lost, f.right, f.notes)
		if f.right != f.times || f.times == 0 {
			t.Errorf("%s: right %d times of %d", f.what, f.right, f.times)
		}
	})
	return f
}

// Add counts one time, the records that were lost in it, and whether what came
// out was right.
func (f *Fault) Add(lost uint64, right bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times++
	f.lost += lost
	if right {
		f.right++
	}
}

// Note adds words to the row.
func (f *Fault) Note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.notes != "" {
		f.notes += "; "
	}
	f.notes += fmt.Sprintf(format, args...)
}
