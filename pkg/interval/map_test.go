package interval

import (
	"fmt"
	"strings"
	"testing"
)

// draw prints a Map of runes over [0, width) as a picture, a dot for a hole.
// Neighbours are told apart by the bars of their entries.
func draw(m *Map[rune]) string {
	var b strings.Builder
	for e := range m.All() {
		fmt.Fprintf(&b, "%c[%d,%d) ", e.Value, e.Start, e.End)
	}
	return strings.TrimSpace(b.String())
}

func TestMapRemove(t *testing.T) {
	for _, tt := range []struct {
		name, before, remove, after, removed string
	}{
		{"a hole in the middle leaves two parts", "AAAAAA", "  xx  ", "A[0,2) A[4,6)", "A[2,4)"},
		{"the head goes", "AAAAAA", "xx    ", "A[2,6)", "A[0,2)"},
		{"the tail goes", "AAAAAA", "    xx", "A[0,4)", "A[4,6)"},
		{"all of it goes", "AAAAAA", "xxxxxx", "", "A[0,6)"},
		{"one removal spans three entries and a hole", "AABB.CC", " xxxxx ", "A[0,1) C[6,7)", "A[1,2) B[2,4) C[5,6)"},
		{"a hole holds nothing", "AA..BB", "  xx  ", "A[0,2) B[4,6)", ""},
		{"an empty range removes nothing", "AAAA", "    ", "A[0,4)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMap[rune]()
			parse(tt.before, func(r Range, v rune) { m.Set(r, v) })
			var removed []string
			parse(tt.remove, func(r Range, _ rune) {
				for _, e := range m.Remove(r) {
					removed = append(removed, fmt.Sprintf("%c%v", e.Value, fmt.Sprintf("[%d,%d)", e.Start, e.End)))
				}
			})
			if got := draw(m); got != tt.after {
				t.Errorf("after: %q, want %q", got, tt.after)
			}
			if got := strings.Join(removed, " "); got != tt.removed {
				t.Errorf("removed: %q, want %q", got, tt.removed)
			}
		})
	}
}

// parse calls f for every run of equal runes in s; blanks and dots are holes.
func parse(s string, f func(Range, rune)) {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] == s[i] {
			j++
		}
		if s[i] != ' ' && s[i] != '.' {
			f(Range{uint64(i), uint64(j)}, rune(s[i]))
		}
		i = j
	}
}

func TestMapCopySharesNothing(t *testing.T) {
	m := NewMap[rune]()
	m.Set(Range{0, 10}, 'A')
	c := m.Copy()
	m.Remove(Range{2, 4})
	c.Set(Range{8, 12}, 'B')
	if got, want := draw(m), "A[0,2) A[4,10)"; got != want {
		t.Errorf("original: %q, want %q", got, want)
	}
	if got, want := draw(c), "A[0,8) B[8,12)"; got != want {
		t.Errorf("copy: %q, want %q", got, want)
	}
}

// FuzzMap drives a Map and the simplest possible model of one, an array with
// one owner per address, and requires them to agree.
func FuzzMap(f *testing.F) {
	f.Add([]byte{0, 10, 5, 1, 12, 3, 128, 4, 100})
	f.Add([]byte{1, 0, 255, 128, 10, 10, 2, 5, 30, 130, 0, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := NewMap[byte]()
		var model [600]byte
		for i := 0; i+3 <= len(ops); i += 3 {
			r := Of(uint64(ops[i+1]), uint64(ops[i+2]))
			value := ops[i] & 127
			if ops[i] >= 128 {
				value = 0
			}
			var removed []Entry[byte]
			if value == 0 {
				removed = m.Remove(r)
			} else {
				removed = m.Set(r, value)
			}
			checkRemoved(t, removed, model[r.Start:r.End], r.Start)
			for a := r.Start; a < r.End; a++ {
				model[a] = value
			}
			checkMap(t, m, model[:])
		}
	})
}

func checkRemoved(t *testing.T, got []Entry[byte], model []byte, base uint64) {
	t.Helper()
	seen := make([]byte, len(model))
	for _, e := range got {
		for a := e.Start; a < e.End; a++ {
			seen[a-base] = e.Value
		}
	}
	if string(seen) != string(model) {
		t.Fatalf("removed %v, model has %v", seen, model)
	}
}

func checkMap(t *testing.T, m *Map[byte], model []byte) {
	t.Helper()
	got := make([]byte, len(model))
	var last, bytes uint64
	n := 0
	for e := range m.All() {
		if e.Empty() || e.Start < last {
			t.Fatalf("entry %v is empty or overlaps its neighbour", e.Range)
		}
		last = e.End
		bytes += e.Len()
		n++
		for a := e.Start; a < e.End; a++ {
			got[a] = e.Value
		}
	}
	if string(got) != string(model) {
		t.Fatalf("map has %v, model %v", got, model)
	}
	if bytes != m.Bytes() || n != m.Len() {
		t.Fatalf("Bytes %d, Len %d; counted %d, %d", m.Bytes(), m.Len(), bytes, n)
	}
}

func BenchmarkMap(b *testing.B) {
	for _, n := range []int{1000, 65530, 1000000} {
		m := NewMap[int]()
		for i := range n {
			m.Set(Of(uint64(i)*8192, 4096), i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				r := Of(uint64(i*7919%n)*8192, 4096)
				m.Remove(r)
				m.Set(r, i)
			}
		})
	}
}
