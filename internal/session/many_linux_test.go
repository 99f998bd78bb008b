package session

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// manyMappings is close to what the kernel allows a process (vm.max_map_count).
const manyMappings = 65000

// attachTime is how long attaching to manyMappings may take.
const attachTime = 2 * time.Second

// TestMany traces a process with as many live mappings as there can be, from
// before they are made and from after.
func TestMany(t *testing.T) {
	exe := testutil.Compile(t, "many.c", "-O2")
	t.Run("before", func(t *testing.T) {
		p := testutil.Start(t, exe, fmt.Sprint(manyMappings))
		before := memory(t)
		s := start(t, p.PID(), Config{})
		attached := memory(t)
		var lines []string
		runUntil(t, s, func() { lines = p.Run() })
		checkOracle(t, s)
		checkExact(t, s)
		checkCounted(t, s)
		got, want := outstandingByLeaf(s, "many_"), testutil.Truths(t, lines)
		if !maps.Equal(got, want) || want["many_even"]+want["many_odd"] != manyMappings*uint64(os.Getpagesize()) {
			t.Errorf("outstanding: got %v, want %v", got, want)
		}
		t.Logf("memory: %d KiB before, %d attached, %d with %d mappings: %d bytes each",
			before>>10, attached>>10, memory(t)>>10, manyMappings, (memory(t)-attached)/manyMappings)
		p.Close()
	})
	t.Run("after", func(t *testing.T) {
		p := testutil.Start(t, exe, fmt.Sprint(manyMappings))
		p.Run()
		begin := time.Now()
		s := start(t, p.PID(), Config{})
		took := time.Since(begin)
		if took > attachTime {
			t.Errorf("attaching took %v", took)
		}
		runUntil(t, s, func() {})
		checkOracle(t, s)
		if r := finalReport(s); len(r.Paths) != 0 || r.Totals.OldBytes < manyMappings*uint64(os.Getpagesize()) {
			t.Errorf("%d paths and %d bytes of before", len(r.Paths), r.Totals.OldBytes)
		}
		t.Logf("attached in %v", took)
		p.Close()
	})
}

// outstandingByLeaf returns the report's outstanding bytes by the first function
// whose name begins with the prefix.
func outstandingByLeaf(s *Session, prefix string) map[string]uint64 {
	got := make(map[string]uint64)
	for _, p := range finalReport(s).Paths {
		name := ""
		for _, f := range p.Frames {
			if strings.HasPrefix(f.Function, prefix) {
				name = f.Function
				break
			}
		}
		got[name] += p.Bytes
	}
	return got
}

// memory returns this process's heap in use in bytes, without garbage.
func memory(t *testing.T) uint64 {
	t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
