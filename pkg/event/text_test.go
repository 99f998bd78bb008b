package event

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readText returns the events of a text trace.
func readText(s string) ([]Event, error) {
	r := NewReader(strings.NewReader(s), "x.trace")
	var out []Event
	for r.Scan() {
		out = append(out, *r.Event())
	}
	return out, r.Err()
}

// writeText returns a trace of events.
func writeText(t testing.TB, events []Event) string {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b)
	for i := range events {
		if err := w.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every kind of line is read, and written as it was.
func TestTextOfEveryKind(t *testing.T) {
	b, err := os.ReadFile("testdata/kinds.trace")
	if err != nil {
		t.Fatal(err)
	}
	events, err := readText(string(b))
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[Kind]bool)
	for i := range events {
		kinds[events[i].Kind] = true
	}
	if len(kinds) != int(numKinds)-1 {
		t.Errorf("%d kinds, want %d", len(kinds), numKinds-1)
	}
	var bare strings.Builder // without blank lines and comments
	for line := range strings.Lines(string(b)) {
		if !isBlank(line) {
			bare.WriteString(line)
		}
	}
	if diff := cmp.Diff(bare.String(), writeText(t, events)); diff != "" {
		t.Errorf("text (-read +written):\n%s", diff)
	}
}

func TestTextDefaults(t *testing.T) {
	got, err := readText(`
mmap 0x1000+16K stack=3
	# a comment between
mmap 0x3000+0x1000 flags=fixed,file prot=rx # a comment behind
munmap 0x1001+0 = EINVAL
mremap 0x1000+0x2000 -> 0x9000+0x3000
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{Kind: Mmap, Space: 1, Seq: 1, Time: 1e6, Args: [6]uint64{0, 0x4000, 3, 0x22, ^uint64(0)}, Ret: 0x1000, Stack: 3},
		{Kind: Mmap, Space: 1, Seq: 2, Time: 2e6, Args: [6]uint64{0x3000, 0x1000, 5, 0x12}, Ret: 0x3000, Marks: File},
		{Kind: Munmap, Space: 1, Time: 3e6, Args: [6]uint64{0x1001, 0}, Ret: -22},
		{Kind: Mremap, Space: 1, Seq: 3, Time: 4e6, Args: [6]uint64{0x1000, 0x2000, 0x3000, RemapMayMove}, Ret: 0x9000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTextErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"mmpa 0x1000+0x1000", `x.trace:1: not an event: "mmpa"`},
		{"bad", `x.trace:1: not an event: "bad"`},
		{"\n# c\nmmap 0x1000", `x.trace:3: mmap: not a range: "0x1000"`},
		{"mmap", `x.trace:1: mmap: 0 operands, want 2: ""`},
		{"shmdt 0x1000 0x2000", `x.trace:1: shmdt: 2 operands, want 1: "0x1000 0x2000"`},
		{"munmap 0x1000+y", `x.trace:1: munmap: not a number: "y"`},
		{"munmap 0x1000+99999999999G", `x.trace:1: munmap: not a number: "99999999999G"`},
		{"mremap 0x1000+0x1000", `x.trace:1: mremap: not of the form FROM -> TO: "0x1000+0x1000"`},
		{"brk 1 > 2", `x.trace:1: brk: not of the form FROM -> TO: "1 > 2"`},
		{"munmap 0x1000+0x1000 =", `x.trace:1: munmap: no result behind =`},
		{"munmap 0x1000+0x1000 = ENOPE", `x.trace:1: munmap: not a result: "ENOPE"`},
		{"mmap 0x1000+0x1000 = 5", `x.trace:1: mmap: no error, and the operands tell the rest: "5"`},
		{"munmap 0x1000+0x1000 prot=rw", `x.trace:1: munmap: unknown field: "prot"`},
		{"end pid=4294967296", `x.trace:1: end: field pid: not a value: "4294967296"`},
		{"end pid=1 pid=1", `x.trace:1: end: field pid given twice`},
		{"end pid=1 more", `x.trace:1: end: not a field: "more"`},
		{"exec comm=\"a b", `x.trace:1: quote without an end: "\"a b"`},
		{"fork parent=1@x", `x.trace:1: fork: field parent: not a value: "1@x"`},
		{"stack", `x.trace:1: stack: no ID`},
		{"end\nsnapshot\n  1000-2000 rwxq\n", `x.trace:3: not a region: "1000-2000 rwxq"`},
		{"  1000-2000 rw-p", `x.trace:1: not behind an event: "1000-2000 rw-p"`},
		{"end\n" + strings.Repeat("x", maxLine), `x.trace:2: line of more than 1048576 bytes`},
	} {
		if _, err := readText(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%.40q: error %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestReaderPassesOnErrorsOfTheInput(t *testing.T) {
	broken := errors.New("broken pipe")
	r := NewReader(io.MultiReader(strings.NewReader("end\n"), brokenReader{broken}), "x.trace")
	for r.Scan() {
	}
	if !errors.Is(r.Err(), broken) {
		t.Errorf("error %v", r.Err())
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

func TestTextKeepsEveryEvent(t *testing.T) {
	d := newDice(4)
	var want []Event
	for range 3000 {
		want = append(want, d.event())
	}
	text := writeText(t, want)
	got, err := readText(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Fatalf("event %d (-written +read):\n%s\n%s", i, diff, AppendText(nil, &want[i]))
		}
		alone, err := readText(string(AppendText(nil, &want[i])))
		if err != nil || !cmp.Equal(want[i:i+1], alone) {
			t.Fatalf("event %d alone: error %v\n%s", i, err, cmp.Diff(want[i:i+1], alone))
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
}

// FuzzText requires that what was read, written and read again is the same, and
// so is what was written.
func FuzzText(f *testing.F) {
	if b, err := os.ReadFile("testdata/kinds.trace"); err == nil {
		f.Add(string(b))
		for line := range strings.Lines(string(b)) {
			f.Add(line)
		}
	}
	d := newDice(5)
	for range 30 {
		ev := d.event()
		f.Add(string(AppendText(nil, &ev)))
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, _ := readText(s)
		text := writeText(t, want)
		got, err := readText(text)
		if err != nil {
			t.Fatalf("written: %v\n%s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("events (-read +written and read):\n%s\n%s", diff, text)
		}
		if again := writeText(t, got); again != text {
			t.Fatalf("text (-first +second):\n%s", cmp.Diff(text, again))
		}
	})
}
