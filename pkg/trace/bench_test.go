package trace_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// mapping returns the event that maps page 2*i.
func mapping(i, seq, pages uint64) event.Event {
	return event.Event{
		Kind: event.Mmap, Space: 1, Seq: seq, Time: event.Time(seq * 1000), TotalVM: pages, Stack: stack.ID(1 + i%100),
		Args: [6]uint64{0, 4096, 3, event.MapPrivate | event.MapAnonymous, ^uint64(0)}, Ret: int64(0x10000 + i*8192),
	}
}

// unmapping returns the event that unmaps it.
func unmapping(i, seq, pages uint64) event.Event {
	return event.Event{
		Kind: event.Munmap, Space: 1, Seq: seq, Time: event.Time(seq * 1000), TotalVM: pages,
		Args: [6]uint64{0x10000 + i*8192, 4096},
	}
}

// filled returns a trace with n live mappings of a page each.
func filled(n uint64) *trace.Trace {
	t := trace.New(4096)
	t.Add(&event.Event{Kind: event.Snapshot, Space: 1})
	for i := range n {
		ev := mapping(i*7919%n, i+1, i)
		t.Add(&ev)
	}
	return t
}

// BenchmarkTrace unmaps a mapping of many and maps it anew, through order and
// track. Budgets: 200 B a mapping, 2 M events a second.
func BenchmarkTrace(b *testing.B) {
	for _, n := range []uint64{1000, 65530, 1000000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			t := filled(n)
			runtime.GC()
			runtime.ReadMemStats(&after)
			var ev event.Event // as a Reader reuses it
			seq, x := n, uint64(0)
			for b.Loop() {
				x = x*6364136223846793005 + 1442695040888963407
				i := x >> 32 % n // any of them, as the low bits would not be
				ev = unmapping(i, seq+1, n)
				t.Add(&ev)
				ev = mapping(i, seq+2, n-1)
				t.Add(&ev)
				seq += 2
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/mapping")
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
			if s := t.Tracker().Stats(); s.Mismatches > 0 || s.UnknownUnmap > 0 {
				b.Errorf("%+v", s)
			}
		})
	}
}

// BenchmarkTraceOutOfOrder hands events over in pairs that changed places.
func BenchmarkTraceOutOfOrder(b *testing.B) {
	const n = 65536
	t := filled(n)
	seq := uint64(n)
	var ev event.Event
	for x := uint64(0); b.Loop(); x = (x + 7919) % n {
		ev = mapping(x, seq+2, n-1)
		t.Add(&ev)
		ev = unmapping(x, seq+1, n)
		t.Add(&ev)
		seq += 2
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}

// BenchmarkTraceStalled has a call that does not return while others go on.
func BenchmarkTraceStalled(b *testing.B) {
	var t *trace.Trace
	const others = 100000
	for b.Loop() {
		b.StopTimer()
		t = trace.New(4096)
		t.Add(&event.Event{Kind: event.Snapshot, Space: 1})
		b.StartTimer()
		for i := range uint64(others) {
			ev := mapping(i%1000, i+2, 0)
			t.Add(&ev)
		}
		ev := mapping(2000, 1, 0)
		t.Add(&ev)
	}
	b.ReportMetric(others*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
	if n := t.Order().Early; n != others {
		b.Errorf("%d events were early", n)
	}
}
