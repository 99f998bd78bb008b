package event

import (
	"encoding/binary"
	"testing"
)

// BenchmarkDecode reads a record of a call, and one of a stack of 20 frames, as the
// ring holds them.
func BenchmarkDecode(b *testing.B) {
	call := make([]byte, recordSize)
	binary.LittleEndian.PutUint32(call, uint32(Mmap))
	stack := make([]byte, stackHeaderSize+20*8)
	binary.LittleEndian.PutUint32(stack, uint32(StackDef))
	for name, record := range map[string][]byte{"call": call, "stack": stack} {
		b.Run(name, func(b *testing.B) {
			var ev Event
			b.SetBytes(int64(len(record)))
			for b.Loop() {
				if err := Decode(record, &ev); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
		})
	}
}
