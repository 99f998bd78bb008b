package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// judge returns the verdict on the path of stack 1 in a trace of 20 seconds.
func judge(t *testing.T, text string) report.Path {
	t.Helper()
	tr := traced(t, text)
	r := report.Build(tr, stack.Table{1: {{Function: "mmap"}, {Function: "f", Module: "/x"}}}, report.Facts{End: 20e9})
	for _, p := range r.Paths {
		if len(p.Frames) > 0 {
			return p
		}
	}
	t.Fatal("no path")
	return report.Path{}
}

// A cache that was full when tracing began gives back what is older than the
// window: its path leaks only if it gives back nothing.
func TestReplacedMappingsAreNoLeak(t *testing.T) {
	for _, replaced := range []bool{true, false} {
		var s strings.Builder
		s.WriteString("snapshot\n  10000000-20000000 rw-p\n")
		for i := range 100 {
			fmt.Fprintf(&s, "mmap %#x+0x10000 stack=1 t=%dms\n", 0x40000000+i*0x20000, i*200)
			if replaced {
				fmt.Fprintf(&s, "munmap %#x+0x10000 t=%dms\n", 0x10000000+i*0x10000, i*200+1)
			}
		}
		want := verdict.Leak
		if replaced {
			want = verdict.Cache
		}
		if p := judge(t, s.String()); p.Verdict.Kind != want {
			t.Errorf("replaced %v: %s: %s", replaced, p.Verdict.Kind, p.Verdict.Why)
		}
	}
}

// The owner is told by the flags of the largest mapping and tempers the verdict.
func TestOwner(t *testing.T) {
	var s strings.Builder
	s.WriteString("snapshot\n")
	for i := range 100 {
		fmt.Fprintf(&s, "mmap %#x+0x10000 flags=stack stack=1 t=%dms\n", 0x40000000+i*0x20000, i*200)
	}
	if p := judge(t, s.String()); p.Owner.Name != "stack mapping" || p.Verdict.Kind != verdict.Leak {
		t.Errorf("owner %q, %s", p.Owner.Name, p.Verdict.Kind)
	}
}
