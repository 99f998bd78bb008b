package track_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/track"
)

var update = flag.Bool("update", false, "rewrite what the pictures expect")

const (
	liveMark  = "-- live --\n"
	statsMark = "-- stats --\n"
)

// TestPictures runs each text trace in testdata and compares the live map that
// it leaves with the one drawn below it, and the counts if the file has them.
// -update draws them anew.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".trace"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := draw(t, filepath.Base(file), b)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(b), string(got)); diff != "" && !*update {
				t.Errorf("picture (-want +got):\n%s", diff)
			}
		})
	}
}

// draw returns the picture in b with the sections as they should be.
func draw(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	text, _, _ := bytes.Cut(b, []byte(liveMark))
	tr := trace.New(4096)
	r := event.NewReader(bytes.NewReader(text), name)
	for r.Scan() {
		tr.Add(r.Event())
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	tr.Flush()
	out := append(bytes.Clone(text), liveMark+live(tr.Tracker())...)
	if bytes.Contains(b, []byte(statsMark)) {
		out = append(out, statsMark+stats(tr)...)
	}
	return out
}

// live draws the live maps, each piece on a line.
func live(tr *track.Tracker) string {
	var b strings.Builder
	for _, sp := range spaces(tr) {
		if len(tr.Spaces()) > 1 {
			fmt.Fprintf(&b, "space %d%s\n", sp.ID, state(sp))
		}
		for e := range sp.Live.All() {
			fmt.Fprintf(&b, "%v%s\n", e.Range, piece(tr, e.Value, e.Len()))
		}
	}
	return b.String()
}

func spaces(tr *track.Tracker) []*track.Space {
	var out []*track.Space
	for _, sp := range tr.Spaces() {
		out = append(out, sp)
	}
	slices.SortFunc(out, func(x, y *track.Space) int { return int(x.ID) - int(y.ID) })
	return out
}

func state(sp *track.Space) string {
	var b strings.Builder
	if len(sp.Processes) > 0 {
		fmt.Fprintf(&b, " of %v", sp.Processes)
	}
	if sp.Ended {
		b.WriteString(" ended")
	}
	if sp.CountedOut {
		b.WriteString(" counted out")
	}
	if sp.Left {
		b.WriteString(" left")
	}
	return b.String()
}

// piece describes what a piece of n bytes belongs to; usual things are left out.
func piece(tr *track.Tracker, p track.Piece, n uint64) string {
	m := p.Mapping
	var b strings.Builder
	if m.Len() != n || m.Live != n {
		fmt.Fprintf(&b, " of %v", m.Range)
	}
	if m.Stack != 0 {
		fmt.Fprintf(&b, " stack=%d", m.Stack)
	}
	if m.Kind != event.Mmap {
		fmt.Fprintf(&b, " %v", m.Kind)
	}
	b.WriteString([]string{"", " before", " inherited", " found"}[m.Origin])
	for _, f := range []struct {
		on   bool
		name string
	}{{m.File, "file"}, {m.Shared, "shared"}, {m.Grows, "grows"}, {m.Uncertain, "uncertain"}, {p.Closed, "closed"}} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	if o := tr.Opener(m); o != nil {
		fmt.Fprintf(&b, " opened=%d", o.Stack)
	}
	if r := tr.Returned(m); r.Calls > 0 {
		fmt.Fprintf(&b, " returned=%#x", r.Bytes)
		if r.Lazy > 0 {
			fmt.Fprintf(&b, " lazy=%#x", r.Lazy)
		}
		if r.Calls > 1 {
			fmt.Fprintf(&b, " in %d calls", r.Calls)
		}
	}
	if m.Path != "" {
		fmt.Fprintf(&b, " path=%s", m.Path)
	}
	if m.Huge != 0 {
		fmt.Fprintf(&b, " huge=%#x", m.Huge)
	}
	if m.Under != nil {
		fmt.Fprintf(&b, " over %v@%d", m.Under.Range, m.Under.Stack)
	}
	if m.Short != nil {
		fmt.Fprintf(&b, " short=%v@%d", m.Short.Range, m.Short.Stack)
	}
	return b.String()
}

// stats lists the counts that are not zero, what is wanted, and comparisons.
func stats(tr *trace.Trace) string {
	s, o := tr.Tracker().Stats(), tr.Order()
	var b strings.Builder
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"failed", s.Failed}, {"mapped", s.Mapped}, {"unmapped", s.Unmapped}, {"mappings", s.MappedCount},
		{"gone", s.GoneCount}, {"old unmapped", s.OldUnmapped}, {"unknown unmap", s.UnknownUnmap},
		{"old returned", s.OldReturned}, {"untold", s.Untold}, {"overlaid", s.Overlaid}, {"checks", s.Checks},
		{"mismatches", s.Mismatches}, {"resyncs", s.Resyncs}, {"missing", s.Missing}, {"late", s.Late},
		{"early", o.Early}, {"gaps", o.Gaps},
	} {
		if c.n != 0 {
			fmt.Fprintf(&b, "%s %d\n", c.name, c.n)
		}
	}
	if s.HeapGrowth != 0 {
		fmt.Fprintf(&b, "heap growth %d\n", s.HeapGrowth)
	}
	wants := tr.Tracker().Wants()
	for _, sp := range spaces(tr.Tracker()) {
		if w := wants[sp.ID]; w > track.First {
			fmt.Fprintf(&b, "space %d wants: %v\n", sp.ID, w)
		}
		if c := sp.Settled; c.Done {
			fmt.Fprintf(&b, "space %d agreed %d of %d, extra %d, unexplained %d\n", sp.ID, c.Agreed, c.Live, c.Extra, c.Unexplained)
		}
	}
	return b.String()
}
