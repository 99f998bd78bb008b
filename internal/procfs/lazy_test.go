package procfs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

func TestParseLazyFree(t *testing.T) {
	const head = "7f0000000000-7f0000010000 rw-p 00000000 00:00 0 \nSize:                 64 kB\n"
	for name, tt := range map[string]struct {
		text string
		want []LazyFree
		err  string
	}{
		"nothing": {"", nil, ""},
		"none":    {head + "LazyFree:              0 kB\nVmFlags: rd wr mr\n", nil, ""},
		"some": {head + "LazyFree:             12 kB\nVmFlags: rd\n" + "7f0000010000-7f0000020000 r--p 00000000 08:01 7 /a LazyFree: b\nLazyFree:              64 kB\n",
			[]LazyFree{{interval.Range{Start: 0x7f0000000000, End: 0x7f0000010000}, 12 << 10}, {interval.Range{Start: 0x7f0000010000, End: 0x7f0000020000}, 64 << 10}}, ""},
		"no number":             {head + "LazyFree:              x kB\n", nil, `line 3: no size: "LazyFree:              x kB"`},
		"another unit":          {head + "LazyFree:             12 MB\n", nil, `line 3: no size: "LazyFree:             12 MB"`},
		"larger than its range": {head + "LazyFree:             65 kB\n", nil, `line 3: no size: "LazyFree:             65 kB"`},
		"of no range":           {"LazyFree:             12 kB\n", nil, `line 1: no size: "LazyFree:             12 kB"`},
	} {
		got, err := parseLazyFree(strings.NewReader(tt.text))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || text != tt.err {
			t.Errorf("%s: error %q, want %q (-want +got):\n%s", name, text, tt.err, diff)
		}
	}
}
