package track_test

import (
	"fmt"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// BenchmarkTracker unmaps a mapping of many and maps it anew, without order before
// it; see BenchmarkTrace in pkg/trace for both.
func BenchmarkTracker(b *testing.B) {
	for _, n := range []uint64{1000, 65530, 1000000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t := track.New(4096)
			t.Settle(&event.Event{Kind: event.Snapshot, Space: 1}, nil)
			seq := uint64(0)
			var ev event.Event
			change := func(kind event.Kind, i, pages uint64) {
				seq++
				addr := 0x10000 + i*8192
				ev = event.Event{Kind: kind, Space: 1, Seq: seq, Time: event.Time(seq * 1000), TotalVM: pages}
				if kind == event.Mmap {
					ev.Stack, ev.Ret = stack.ID(1+i%100), int64(addr)
					ev.Args = [6]uint64{0, 4096, 3, event.MapPrivate | event.MapAnonymous, ^uint64(0)}
				} else {
					ev.Args = [6]uint64{addr, 4096}
				}
				t.Apply(&ev)
			}
			for i := range n {
				change(event.Mmap, i*7919%n, i)
			}
			x := uint64(0)
			for b.Loop() {
				x = x*6364136223846793005 + 1442695040888963407
				i := x >> 32 % n // any of them, as the low bits would not be
				change(event.Munmap, i, n)
				change(event.Mmap, i, n-1)
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
			if s := t.Stats(); s.Mismatches > 0 || s.UnknownUnmap > 0 {
				b.Errorf("%+v", s)
			}
		})
	}
}
