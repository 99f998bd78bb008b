package event

import "testing"

func TestSegment(t *testing.T) {
	const create, exclusive, huge = 0o1000, 0o2000, 0o4000
	for _, tt := range []struct {
		name             string
		key, size, flags uint64
		ret              int64
		want             uint64
	}{
		{"private", 0, 9000, 0o600, 5, 12288},
		{"private, whole pages", 0, 8192, create, 5, 8192},
		{"made here", 7, 1, create | exclusive, 5, 4096},
		{"may have been there", 7, 4096, create, 5, 0},
		{"was there", 7, 0, 0, 5, 0},
		{"huge pages", 0, 9000, create | huge, 5, 0},
		{"failed", 0, 9000, create, -28, 0},
	} {
		ev := Event{Kind: ShmGet, Args: [6]uint64{tt.key, tt.size, tt.flags}, Ret: tt.ret}
		if got := ev.Segment(4096); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}
