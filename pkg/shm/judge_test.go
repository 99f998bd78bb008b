package shm

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every kind by how it is used: the table says where it belongs.
func TestJudge(t *testing.T) {
	maps, opens := []Holder{{Mappings: 1}}, []Holder{{Descriptors: 1}}
	file := func(k Kind, allocated uint64, h []Holder) *Inventory {
		return &Inventory{Files: []File{{Kind: k, Allocated: allocated, Holders: h}}}
	}
	segment := func(s Segment) *Inventory { return &Inventory{Segments: []Attachable{{Segment: s}}} }
	for name, tt := range map[string]struct {
		inv  *Inventory
		want string
	}{
		"object":                        {file(Posix, 1, nil), "unused"},
		"empty object":                  {file(Posix, 0, nil), "empty"},
		"object that is open":           {file(Posix, 1, opens), "in use"},
		"object that is mapped":         {file(Posix, 0, maps), "in use"},
		"memfd that is mapped":          {file(Memfd, 1, maps), "in use"},
		"memfd that is open":            {file(Memfd, 1, opens), "pinned"},
		"empty memfd":                   {file(Memfd, 0, opens), "empty"},
		"deleted, mapped":               {file(Deleted, 1, maps), "pinned"},
		"deleted, open":                 {file(Deleted, 1, opens), "pinned"},
		"deleted, empty":                {file(Deleted, 0, opens), "empty"},
		"deleted, of unknown size":      {&Inventory{Files: []File{{Kind: Deleted, Unknown: true, Holders: maps}}}, "pinned"},
		"segment":                       {segment(Segment{}), "unused"},
		"segment that is attached":      {segment(Segment{Attached: 2}), "in use"},
		"segment that is to be removed": {segment(Segment{Attached: 2, Removed: true}), "pinned"},
	} {
		l := Judge(tt.inv)
		got := map[string]uint64{"unused": uint64(len(l.Unused)), "pinned": uint64(len(l.Pinned)), "empty": l.Empty}
		for _, s := range l.InUse {
			got["in use"] += s.Count
		}
		want := map[string]uint64{"unused": 0, "pinned": 0, "empty": 0}
		want[tt.want]++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The largest comes first; equals keep one order, whatever that of the inventory.
func TestJudgeOrders(t *testing.T) {
	files := []File{
		{Kind: Posix, Path: "a", Allocated: 1}, {Kind: Posix, Path: "b", Allocated: 2, Size: 3}, {Kind: Posix, Path: "c", Allocated: 2, Size: 4},
		{Kind: Posix, Path: "d", Allocated: 1, Inode: 2}, {Kind: Posix, Path: "d", Allocated: 1, Inode: 1},
	}
	inv := &Inventory{Files: files, Segments: []Attachable{{Segment: Segment{ID: 7, Resident: 1, Swapped: 1}}, {Segment: Segment{ID: 6}}}}
	for range files {
		files = append(files[1:], files[0])
		inv.Files = files
		var got []string
		for _, it := range Judge(inv).Unused {
			got = append(got, fmt.Sprint(it.name(), it.number()))
		}
		if diff := cmp.Diff([]string{"c0", "b0", "7", "a0", "d1", "d2", "6"}, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
	if s := Total(Judge(inv).Unused); s != (Sum{Count: 7, Bytes: 9}) {
		t.Errorf("total %+v", s)
	}
	if s := Judge(&Inventory{Segments: []Attachable{{Segment: Segment{Attached: 3, Resident: 5}}}}).InUse[SysV]; s != (Sum{Count: 1, Bytes: 5, Attached: 3}) {
		t.Errorf("in use %+v", s)
	}
}
