package trace_test

import (
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/trace"
)

// BenchmarkReplay takes the whole way of a recording: what a busy process with 20,000
// mappings does is decoded, ordered and tracked.
func BenchmarkReplay(b *testing.B) {
	const live = 20000
	stream, events := busy(live, 200000)
	var t *trace.Trace
	for b.Loop() {
		t = trace.New(4096)
		var dec event.Decoder
		var ev event.Event
		for rest := stream; len(rest) > 0; {
			n, err := dec.Decode(rest, &ev)
			if err != nil {
				b.Fatal(err)
			}
			t.Add(&ev)
			rest = rest[n:]
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
	if s, o := t.Tracker().Stats(), t.Order(); s.Mismatches > 0 || s.UnknownUnmap > 0 || o.Early == 0 {
		b.Errorf("%+v, %+v", s, o)
	}
}

// busy returns the encoding of a stream that maps live mappings and then changes one
// after the other, and the number of its events. Every fourth change makes a mapping
// read-only for once, and of every ninth the two calls come in each other's place, as
// those of two CPUs do.
func busy(live, changes uint64) (stream []byte, events int) {
	var enc event.Encoder
	add := func(evs ...event.Event) {
		for i := range evs {
			stream = enc.Append(stream, &evs[i])
		}
		events += len(evs)
	}
	add(event.Event{Kind: event.Snapshot, Space: 1})
	seq := uint64(0)
	for seq < live {
		add(mapping(seq, seq+1, seq))
		seq++
	}
	for i := range changes {
		at := i * 7919 % live
		if i%4 == 0 {
			protect := unmapping(at, seq+1, live)
			protect.Kind, protect.Args[2] = event.Mprotect, 1
			add(protect)
			seq++
		}
		first, second := unmapping(at, seq+1, live), mapping(at, seq+2, live-1)
		if i%9 == 0 {
			first, second = second, first
		}
		add(first, second)
		seq += 2
	}
	return stream, events
}
