package procfs

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

func TestParseMaps(t *testing.T) {
	const text = `00400000-00401000 r--p 00000000 08:01 131                                /usr/bin/a program
00401000-00402000 r-xp 00001000 08:01 131                                /usr/bin/a program
01c5b000-01c7c000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000001000 rw-s 00000000 00:01 2051                       /memfd:x (deleted)
7f0000001000-7f0000003000 ---p 00000000 00:00 0 
7f0000003000-7f0000004000 rw-p 00000000 00:00 0                          [anon:glibc: malloc]
7f0000004000-7f0000005000 rwxp 7fff0000 103:fff00 18446744073709551615   /tmp/two\012lines \134
7f0000005000-7f0000006000 rw-s 00000000 00:0f 1034                       anon_inode:[perf_event]
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`
	const rw = event.ProtRead | event.ProtWrite
	want := []event.Region{
		{Range: interval.Range{Start: 0x400000, End: 0x401000}, Prot: event.ProtRead, Dev: 8<<32 | 1, Inode: 131, Path: "/usr/bin/a program"},
		{Range: interval.Range{Start: 0x401000, End: 0x402000}, Prot: event.ProtRead | event.ProtExec, Offset: 0x1000, Dev: 8<<32 | 1, Inode: 131, Path: "/usr/bin/a program"},
		{Range: interval.Range{Start: 0x1c5b000, End: 0x1c7c000}, Prot: rw, Path: "[heap]"},
		{Range: interval.Range{Start: 0x7f0000000000, End: 0x7f0000001000}, Prot: rw, Shared: true, Dev: 1, Inode: 2051, Path: "/memfd:x (deleted)"},
		{Range: interval.Range{Start: 0x7f0000001000, End: 0x7f0000003000}},
		{Range: interval.Range{Start: 0x7f0000003000, End: 0x7f0000004000}, Prot: rw, Path: "[anon:glibc: malloc]"},
		{Range: interval.Range{Start: 0x7f0000004000, End: 0x7f0000005000}, Prot: rw | event.ProtExec, Offset: 0x7fff0000, Dev: 0x103<<32 | 0xfff00, Inode: ^uint64(0), Path: "/tmp/two\nlines \\134"},
		{Range: interval.Range{Start: 0x7f0000005000, End: 0x7f0000006000}, Prot: rw, Shared: true, Dev: 0xf, Inode: 1034, Path: "anon_inode:[perf_event]"},
		{Range: interval.Range{Start: 0x7ffc00000000, End: 0x7ffc00021000}, Prot: rw, Path: "[stack]"},
	}
	got, err := ParseMaps(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("regions differ (-want +got):\n%s", d)
	}
}

func TestParseMapsErrors(t *testing.T) {
	const good = "00400000-00401000 r--p 00000000 08:01 131 /x\n"
	tests := []struct{ name, text, want string }{
		{"words", good + "hello\n", `line 2: not a region: "hello"`},
		{"blank line", "\n", `line 1: not a region: ""`},
		{"torn line", good + "00402000-00403000 r--p 0", `line 2: not terminated: "00402000-00403000 r--p 0"`},
		{"end before start", "00402000-00402000 r--p 00000000 08:01 131 /x\n", `line 1: not a region: "00402000-00402000 r--p 00000000 08:01 131 /x"`},
		{"17 digits", "10000000000000000-20000000000000000 r--p 0 0:0 0\n", `line 1: not a region: "10000000000000000-20000000000000000 r--p 0 0:0 0"`},
		{"letter of the protection", "1000-2000 r-qp 0 0:0 0\n", `line 1: not a region: "1000-2000 r-qp 0 0:0 0"`},
		{"neither shared nor private", "1000-2000 r--x 0 0:0 0\n", `line 1: not a region: "1000-2000 r--x 0 0:0 0"`},
		{"inode too large", "1000-2000 r--p 0 0:0 18446744073709551616\n", `line 1: not a region: "1000-2000 r--p 0 0:0 18446744073709551616"`},
		{"inode runs on", "1000-2000 r--p 0 0:0 12ab\n", `line 1: not a region: "1000-2000 r--p 0 0:0 12ab"`},
		{"no inode", "1000-2000 r--p 0 0:0\n", `line 1: not a region: "1000-2000 r--p 0 0:0"`},
		{"empty number", "1000-2000 r--p  0:0 0\n", `line 1: not a region: "1000-2000 r--p  0:0 0"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMaps(strings.NewReader(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if got != nil {
				t.Errorf("regions %v beside an error", got)
			}
		})
	}
	long := "1000-2000 r--p 0 0:0 0 /" + strings.Repeat("x", 2*maxMapsLine) + "\n"
	if _, err := ParseMaps(strings.NewReader(long)); err == nil {
		t.Error("a line longer than any path was taken")
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add([]byte("00400000-00401000 r--p 00000000 08:01 131   /x\\012y\n"))
	f.Add([]byte("1000-2000 ---s 0 0:0 0 \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		regions, err := ParseMaps(bytes.NewReader(text))
		if err != nil {
			return
		}
		if n := bytes.Count(text, []byte("\n")); len(regions) > n {
			t.Errorf("%d regions in %d lines", len(regions), n)
		}
		for _, r := range regions {
			if r.Empty() {
				t.Errorf("empty region %v", r)
			}
		}
	})
}

func BenchmarkParseMaps60k(b *testing.B) {
	var text bytes.Buffer
	for i := range 60000 {
		start := 0x7f0000000000 + i*0x2000
		path := ""
		if i%3 == 0 {
			path = fmt.Sprintf("/usr/lib/x86_64-linux-gnu/lib%d.so.6", i/300)
		}
		fmt.Fprintf(&text, "%-72s %s\n", fmt.Sprintf("%x-%x rw-p %08x 08:01 131", start, start+0x1000, i), path)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMaps(bytes.NewReader(text.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
