package event

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

func TestBinaryKeepsEveryEvent(t *testing.T) {
	d := newDice(1)
	var enc Encoder
	var b []byte
	var want []Event
	for range 2000 {
		ev := d.event()
		want = append(want, ev)
		b = enc.Append(b, &ev)
	}
	got, err := decodeAll(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-written +read):\n%s", diff)
	}
}

// decodeAll returns the events in b, up to the first error.
func decodeAll(b []byte) ([]Event, error) {
	var dec Decoder
	var out []Event
	for len(b) > 0 {
		var ev Event
		n, err := dec.Decode(b, &ev)
		if err != nil {
			return out, err
		}
		out = append(out, ev)
		b = b[n:]
	}
	return out, nil
}

func TestBinaryRefusesWhatIsCutShort(t *testing.T) {
	d := newDice(2)
	for range 200 {
		ev := d.event()
		b := new(Encoder).Append(nil, &ev)
		for n := range len(b) {
			var got Event
			if _, err := new(Decoder).Decode(b[:n], &got); !errors.Is(err, ErrMalformed) {
				t.Fatalf("first %d of %d bytes of %+v: error %v", n, len(b), ev, err)
			}
		}
	}
}

// FuzzBinary requires that bytes which are events survive another round, and
// that no bytes do harm.
func FuzzBinary(f *testing.F) {
	d := newDice(3)
	for range 20 {
		var enc Encoder
		var b []byte
		for range 3 {
			ev := d.event()
			b = enc.Append(b, &ev)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, _ := decodeAll(b)
		var enc Encoder
		var again []byte
		for i := range want {
			again = enc.Append(again, &want[i])
		}
		got, err := decodeAll(again)
		if err != nil {
			t.Fatalf("events written again: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-read +written and read):\n%s", diff)
		}
	})
}

// pair returns a mapping and its unmapping as a busy program makes them.
func pair(i uint64) [2]Event {
	at := 0x7f0000000000 + i%5000<<16
	m := Event{Kind: Mmap, Space: 1, Seq: 2*i + 1, Time: Time(i * 4000), TotalVM: 30000 + i%7, Brk: 0x5555000,
		PID: 4242, TID: TID(4242 + i%4), Args: [6]uint64{0, 65536, 3, MapPrivate | MapAnonymous, ^uint64(0), 0},
		Ret: int64(at), Stack: 0x123456789abcdef + 977*stack.ID(i%100), After: 2*i + 1}
	u := m
	u.Kind, u.Seq, u.After, u.Time, u.Ret, u.TotalVM = Munmap, m.Seq+1, m.Seq+1, m.Time+2000, 0, m.TotalVM+16
	u.Args = [6]uint64{at, 65536}
	return [2]Event{m, u}
}

func BenchmarkEncoder(b *testing.B) {
	var enc Encoder
	var buf []byte
	size := 0
	for i := uint64(0); b.Loop(); i++ {
		p := pair(i)
		buf = enc.Append(enc.Append(buf[:0], &p[0]), &p[1])
		size += len(buf)
	}
	b.ReportMetric(float64(size)/float64(2*b.N), "B/event")
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}

func BenchmarkDecoder(b *testing.B) {
	var enc Encoder
	var buf []byte
	for i := range uint64(5000) {
		p := pair(i)
		buf = enc.Append(enc.Append(buf, &p[0]), &p[1])
	}
	n := 0
	var ev Event
	for b.Loop() {
		var dec Decoder
		for rest := buf; len(rest) > 0; n++ {
			k, err := dec.Decode(rest, &ev)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[k:]
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}
