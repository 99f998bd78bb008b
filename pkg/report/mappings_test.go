package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// Of a path that holds more mappings than a report lists, those with the lowest
// addresses are listed, in whichever order they came and however their pieces lie.
func TestMappingsAreTheFirstByAddress(t *testing.T) {
	const n = 3*report.MaxMappings + 7
	var s strings.Builder
	s.WriteString("snapshot\n")
	for i := range n {
		at := i * 7919 % n // a prime: each once, in disorder
		fmt.Fprintf(&s, "mmap %#x+0x2000 stack=1 t=%dms\n", 0x40000000+at*0x10000, i)
		if at%3 == 0 {
			fmt.Fprintf(&s, "munmap %#x+0x1000 t=%dms\n", 0x40000000+at*0x10000, i)
		}
	}
	p := judge(t, s.String())
	if p.Count != n || len(p.Mappings) != report.MaxMappings {
		t.Fatalf("%d mappings, %d listed; want %d, %d", p.Count, len(p.Mappings), n, report.MaxMappings)
	}
	for i, m := range p.Mappings {
		if want := uint64(0x40000000 + i*0x10000); m.Start != want {
			t.Fatalf("mapping %d begins at %#x, want %#x", i, m.Start, want)
		}
	}
}

// The kernel joins neighbours: what counts for its limit is its own count, if it was
// read when the window ended.
func TestMappingsAreCountedAsTheKernelDoes(t *testing.T) {
	tr := traced(t, `
snapshot t=1ms
process pid=42 comm=app t=1ms
mmap 0x1000+0x1000 stack=1 t=2ms
mmap 0x2000+0x1000 stack=1 t=3ms
mmap 0x3000+0x1000 stack=2 t=4ms
snapshot t=10ms
  1000-4000 rw-p
`)
	for end, want := range map[event.Time]uint64{10e6: 1, 11e6: 3} {
		if got := report.Build(tr, named, report.Facts{End: end}).Targets[0].Mappings; got != want {
			t.Errorf("window until %d: %d mappings, want %d", end, got, want)
		}
	}
}
