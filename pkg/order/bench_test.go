package order_test

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/order"
)

// nowhere drops what it gets.
type nowhere struct{ events int }

func (n *nowhere) Apply(*event.Event)                    { n.events++ }
func (n *nowhere) Settle(*event.Event, []interval.Range) {}
func (n *nowhere) Gap(event.SpaceID, uint64, bool)       {}

// BenchmarkSequencer orders changes of one space that arrive in order, in pairs
// that changed places, and behind one that is 64 late.
func BenchmarkSequencer(b *testing.B) {
	for _, bb := range []struct {
		name string
		late uint64 // places
	}{{"in-order", 0}, {"swapped", 1}, {"late-64", 64}} {
		b.Run(bb.name, func(b *testing.B) {
			var sink nowhere
			s := order.New(&sink, 4096)
			s.Add(&event.Event{Kind: event.Snapshot, Space: 1})
			ev := event.Event{Kind: event.Munmap, Space: 1, Args: [6]uint64{0x10000, 4096}}
			events := 0
			for seq := uint64(1); b.Loop(); seq += bb.late + 1 {
				for i := range bb.late + 1 { // the first place comes last
					ev.Seq = seq + (i+1)%(bb.late+1)
					ev.Time = event.Time(ev.Seq * 1000)
					s.Add(&ev)
					events++
				}
			}
			if sink.events != events {
				b.Errorf("%d events of %d came out: %+v", sink.events, events, s.Stats())
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds()/1e6, "Mevents/s")
		})
	}
}
