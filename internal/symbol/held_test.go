package symbol

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A file that was opened once is known by what it is, and a space learns of it without
// opening it again.
func TestHeldAndAdopted(t *testing.T) {
	s := New()
	defer s.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	dev, inode, _ := fileID(fi)
	id := event.FileID{Dev: dev, Inode: inode, Size: uint64(fi.Size()), Modified: fi.ModTime().UnixNano()}
	if m := s.Held(id); m != nil {
		t.Errorf("%v before it was opened", m)
	}
	m := s.Module("/the/program", f)
	if got := s.Held(id); got != m {
		t.Errorf("held is %p, want %p", got, m)
	}
	for _, other := range []event.FileID{
		{Dev: id.Dev + 1, Inode: id.Inode, Size: id.Size, Modified: id.Modified},
		{Dev: id.Dev, Inode: id.Inode, Size: id.Size, Modified: id.Modified + 1},
	} {
		if m := s.Held(other); m != nil {
			t.Errorf("%+v is %v", other, m)
		}
	}
	r := event.Region{Range: interval.Range{Start: 0x1000, End: 0x2000}, Prot: event.ProtExec, Dev: 7, Inode: 8, Path: "/the/program"}
	unknown, generated := r, event.Region{Range: interval.Range{Start: 0x3000, End: 0x4000}, Prot: event.ProtExec}
	unknown.Range, unknown.Inode = interval.Range{Start: 0x2000, End: 0x3000}, 9
	sp := s.NewSpace()
	sp.Adopt([]CodeRegion{{r, m}, {unknown, nil}, {generated, nil}})
	if diff := cmp.Diff([]event.Region{r, generated}, regionsOf(sp.Code())); diff != "" {
		t.Errorf("adopted (-want +got):\n%s", diff)
	}
	if got := sp.Code()[0].Module; got != m {
		t.Errorf("the module is %p, want %p", got, m)
	}

	// Where a region like it was opened, the file need not be told.
	other := s.NewSpace()
	other.Update([]event.Region{r}, func(event.Region) (*os.File, error) { return os.Open(exe) })
	sp.Adopt([]CodeRegion{{r, nil}})
	if got := sp.Code(); len(got) != 1 || got[0].Module != m {
		t.Errorf("code is %+v", got)
	}
}

func regionsOf(code []CodeRegion) (out []event.Region) {
	for _, c := range code {
		out = append(out, c.Region)
	}
	return out
}
