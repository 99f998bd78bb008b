package export

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

const shmNow = 1793671447 // 2026-11-03 02:04:07 UTC

func holder(pid event.PID, name string, mappings, fds uint64) shm.Holder {
	return shm.Holder{PID: pid, Comm: name, Mappings: mappings, Descriptors: fds, Start: 0x7f0000000000, End: 0x7f0000005000, Descriptor: 7}
}

func object(kind shm.Kind, name string, inode, allocated uint64, holders ...shm.Holder) shm.File {
	return shm.File{Kind: kind, Path: name, Dev: 27, Inode: inode, Size: allocated, Allocated: allocated, UID: 33, Mode: 0o640,
		Created: shmNow - 7200, Changed: shmNow - 7190, Holders: holders}
}

// someShm has every kind in every state, and hostile names.
func someShm() *shm.Inventory {
	sparse := object(shm.Posix, "/dev/shm/img cache's", 3, 23*mib)
	sparse.Size, sparse.Changed, sparse.UID = 64*mib, shmNow-300, 4711
	unknown := object(shm.Deleted, "/run/x", 9, 0, holder(7, "ghost", 1, 0))
	unknown.Unknown, unknown.Created, unknown.Changed = true, 0, 0
	segment := func(id int32, size, attached uint64) shm.Attachable {
		return shm.Attachable{Segment: shm.Segment{ID: id, Key: 0x52e2c1, Size: size, Resident: size, Attached: attached, Mode: 0o600,
			Creator: 4312, UID: 111, AttachedAt: shmNow - 100, DetachedAt: shmNow - 50, ChangedAt: shmNow - 11000},
			Maker: shm.Process{PID: 4312, Known: true}}
	}
	never := segment(4, 3*mib, 0)
	never.AttachedAt, never.DetachedAt, never.Key, never.Resident, never.Swapped = 0, 0, 0, mib, mib
	never.Maker = shm.Process{PID: 99, Comm: "work\x1ber", Known: true, Alive: true}
	removed := segment(5, 2*mib, 3)
	removed.Removed, removed.Maker, removed.Maker.Known = true, shm.Process{}, false
	seen := segment(6, 2*mib-4096, 2)
	seen.Removed, seen.Holders = true, []shm.Holder{holder(42, "pg", 2, 0)}
	return &shm.Inventory{
		Time:  shmNow,
		Users: map[uint32]string{33: "www-data", 111: "post\x1bgres"},
		Files: []shm.File{
			sparse, object(shm.Posix, "/dev/shm/\x1b[31mred\n", 4, 4096), object(shm.Posix, "/dev/shm/used", 5, mib, holder(1, "a", 1, 0)),
			object(shm.Posix, "/dev/shm/none", 6, 0), object(shm.Memfd, "frames\x07", 7, 13*mib, holder(4312, "img\x1bserver", 0, 1)),
			object(shm.Memfd, "in use", 8, mib, holder(2, "b", 1, 0), holder(3, "c", 0, 1)), unknown,
			object(shm.Deleted, "/dev/shm/old", 10, 11*mib, holder(1, "a", 0, 31), holder(2, "b", 3, 1), holder(3, "c", 2, 0),
				holder(4, "d", 1, 0), holder(5, "e", 1, 0)),
		},
		Segments: []shm.Attachable{segment(1, 29*mib, 0), segment(2, 56, 9), segment(3, 5*mib, 1), never, removed, seen},
		Seen:     shm.Seen{Processes: 132},
	}
}

// shmCases are all that the listing has to say.
var shmCases = []struct {
	name string
	inv  func() *shm.Inventory
	o    ShmOptions
}{
	{"every kind", someShm, ShmOptions{}},
	{"in color, the first of each", someShm, ShmOptions{Color: true, Top: 1}},
	{"nothing", func() *shm.Inventory { return &shm.Inventory{Time: shmNow, Seen: shm.Seen{Processes: 2}} }, ShmOptions{}},
	{"only held", func() *shm.Inventory {
		inv := someShm()
		inv.Files, inv.Segments = inv.Files[4:5], nil
		return inv
	}, ShmOptions{Width: 64}},
	{"one unused, and much that was not seen", func() *shm.Inventory {
		inv := someShm()
		inv.Files, inv.Segments = inv.Files[1:4], nil
		inv.Seen = shm.Seen{Processes: 1, Denied: 1, OtherIPC: 1, OtherShm: 1, OwnPIDs: true, Hidden: true, Unfinished: true,
			Errors: []string{"System V segments could not be read: permission denied"}}
		return inv
	}, ShmOptions{}},
	{"sizes that are not known", func() *shm.Inventory {
		inv := someShm()
		inv.Files, inv.Segments = inv.Files[5:7], nil
		inv.Files[0].Unknown, inv.Files[0].Allocated = true, 0
		return inv
	}, ShmOptions{}},
	{"others have their own", func() *shm.Inventory {
		return &shm.Inventory{Time: shmNow, Seen: shm.Seen{Processes: 1000, Denied: 40, OtherIPC: 3, OtherShm: 2}}
	}, ShmOptions{}},
}

func TestShmText(t *testing.T) {
	var b strings.Builder
	for _, c := range shmCases {
		b.WriteString("===== " + c.name + "\n")
		if err := ShmText(&b, shm.Judge(c.inv()), c.o); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "shm/listing.txt", b.String())
	colours := strings.NewReplacer(string(bold), "", string(dim), "", string(alert), "", reset, "")
	for _, l := range strings.Split(colours.Replace(b.String()), "\n") {
		if columns(l) > DefaultWidth && strings.Contains(strings.TrimSpace(l), " ") {
			t.Errorf("too long: %q", l)
		}
		if strings.ContainsAny(l, "\x1b\x07") {
			t.Errorf("not printable: %q", l)
		}
	}
}

func TestShmJSON(t *testing.T) {
	var b bytes.Buffer
	for i, c := range shmCases {
		var one bytes.Buffer
		o := c.o
		o.Tool = report.Tool{Name: "mmtrace", Version: "0.1.0", Commit: "1f2e"}
		if err := ShmJSON(&one, shm.Judge(c.inv()), o); err != nil {
			t.Fatal(err)
		}
		if err := validate(compileShm(t), one.Bytes()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if i == 0 || i == 4 {
			b.Write(one.Bytes())
		}
	}
	golden(t, "shm/listing.jsonl", b.String())
}

func TestShmWriteErrors(t *testing.T) {
	for _, write := range []func(*badWriter) error{
		func(w *badWriter) error { return ShmText(w, shm.Judge(someShm()), ShmOptions{}) },
		func(w *badWriter) error { return ShmJSON(w, shm.Judge(someShm()), ShmOptions{}) },
	} {
		if err := write(&badWriter{}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("error %v", err)
		}
	}
}

func compileShm(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(ShmSchema()))
	if err != nil {
		t.Fatal(err)
	}
	forbidOthers(doc)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("shm.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("shm.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
