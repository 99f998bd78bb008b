package symbol

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

const perfText = `3000 100 LazyCompile:~old /a.js:1
junk
3000 zz bad
3000 0 empty
0x3080 0x80 LazyCompile:*grow /a.js:12:3
 3100  40  Lcom/acme/Pool;::grow
4000 10
7000 20 stub` + "\xff"

// A later line wins, lines that are damaged count for nothing, and only code
// that has no file is named.
func TestPerfMapNamesGeneratedCode(t *testing.T) {
	sp := New().NewSpace()
	sp.Update([]event.Region{
		region(0x3000, rx, 0, ""), region(0x4000, rw, 0, ""), region(0x5000, rx, 7, "/memfd:double (deleted)"),
		region(0x6000, rx, 8, "/lib.so"), region(0x7000, rx, 0, "[anon:v8]"),
	}, func(event.Region) (*os.File, error) { return nil, os.ErrNotExist })
	before := sp.Locate(0x3090, true)
	text := perfText + "\n5000 10 doubled\n6000 10 not here\n4000 10 data\n"
	if err := sp.SetPerfMap(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	got := before.Frames()
	for _, pc := range []uint64{0x3010, 0x3101, 0x3200, 0x4001, 0x5001, 0x6001, 0x7001} {
		got = append(got, sp.Resolve(pc, true)...)
	}
	want := []stack.Frame{
		{Function: "LazyCompile:*grow /a.js:12:3", Module: "[jit]", Offset: 0x308f, Start: 0xf},
		{Function: "LazyCompile:~old /a.js:1", Module: "[jit]", Offset: 0x300f, Start: 0xf},
		{Function: "Lcom/acme/Pool;::grow", Module: "[jit]", Offset: 0x3100},
		{Module: "[anon]", Offset: 0x31ff},
		{Module: "[anon]", Offset: 0x4000},
		{Function: "doubled", Module: "[jit]", Offset: 0x5000},
		{Module: "/lib.so", Offset: 0x3000},
		{Function: "stub\ufffd", Module: "[jit]", Offset: 0x7000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What a perf map has beyond the limit is left out, and that is an error.
func TestPerfMapIsLimited(t *testing.T) {
	sp := New().NewSpace()
	sp.Update([]event.Region{region(0x3000, rx, 0, "")}, nil)
	long := "3000 100 " + strings.Repeat("x", 3*maxPerfName) + "\n"
	err := sp.SetPerfMap(strings.NewReader(long + strings.Repeat("#", maxPerfMap)))
	if !errors.Is(err, errSize) {
		t.Error(err)
	}
	if got := len(sp.Resolve(0x3010, false)[0].Function); got != maxPerfName {
		t.Errorf("a name of %d bytes", got)
	}
}

// FuzzPerfMap compares with the simplest model: the last line that holds an
// address.
func FuzzPerfMap(f *testing.F) {
	f.Add(perfText)
	f.Add("0 ffffffffffffffff all\nfffffffffffffff0 20 end\n")
	f.Fuzz(func(t *testing.T, text string) {
		m := &perfMap{interval.NewMap[perfFunc]()}
		if err := m.read(strings.NewReader(text)); err != nil {
			return
		}
		for _, at := range []uint64{0, 0x3000, 0x3090, 0x3100, 0x4000, ^uint64(0) - 1} {
			want := ""
			for line := range strings.Lines(text) {
				one := &perfMap{interval.NewMap[perfFunc]()}
				if one.add(line) && len(line) < maxPerfName {
					if f, ok := one.frame(at); ok {
						want = f.Function
					}
				} else if len(line) >= maxPerfName {
					return
				}
			}
			if f, _ := m.frame(at); f.Function != want {
				t.Errorf("%#x: got %q, want %q", at, f.Function, want)
			}
		}
	})
}

func ExampleSpace_SetPerfMap() {
	sp := New().NewSpace()
	sp.Update([]event.Region{region(0x1000, rx, 0, "")}, nil)
	if err := sp.SetPerfMap(strings.NewReader("1000 40 JS:*grow /srv/pool.js:7\n")); err != nil {
		fmt.Println(err)
	}
	f := sp.Resolve(0x1010, true)[0]
	fmt.Printf("%s+%#x in %s\n", f.Function, f.Start, f.Module)
	// Output: JS:*grow /srv/pool.js:7+0xf in [jit]
}
