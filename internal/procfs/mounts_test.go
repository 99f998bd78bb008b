package procfs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestParseMounts(t *testing.T) {
	got, err := ParseMounts(strings.NewReader(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
27 22 0:25 /a\040b\134 /mnt\011\012x\ rw - tmpfs a rw
`))
	want := []Mount{
		{22, 8<<32 | 1, "/", "/", "ext4"},
		{27, 25, `/a b\`, "/mnt\t\nx\\", "tmpfs"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"x 1 8:1 / / rw - ext4 /dev/sda1 rw\n": `line 1: not a mount: "x 1 8:1 / / rw - ext4 /dev/sda1 rw\n"`,
		"22 1 8:1 / - ext4 /dev/sda1 rw\n":     `line 1: not a mount: "22 1 8:1 / - ext4 /dev/sda1 rw\n"`,
	} {
		if _, err := ParseMounts(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

// A file may be seen by every mount of its file system that takes in its directory,
// and no other.
func TestPlaces(t *testing.T) {
	mounts := []Mount{
		{ID: 1, Dev: 7, Root: "/", Point: "/"},
		{ID: 2, Dev: 8, Root: "/", Point: "/mnt"},
		{ID: 3, Dev: 7, Root: "/usr", Point: "/mnt/usr"},
		{ID: 4, Dev: 7, Root: "/us", Point: "/mnt/us"},
		{ID: 5, Dev: 7, Root: "/usr/lib/a.so", Point: "/one"},
	}
	for name, want := range map[string][]string{
		"/usr/lib/a.so": {"5 /one", "3 /mnt/usr/lib/a.so", "1 /usr/lib/a.so"},
		"/usr/lib/b.so": {"3 /mnt/usr/lib/b.so", "1 /usr/lib/b.so"},
		"":              nil,
	} {
		ms, paths := places(mounts, event.FileID{Dev: 7}, name)
		var got []string
		for i := range ms {
			got = append(got, string(rune('0'+ms[i].ID))+" "+paths[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
