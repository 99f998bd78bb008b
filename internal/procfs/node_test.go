package procfs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMountTypes(t *testing.T) {
	got, err := ParseMountTypes(strings.NewReader(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
27 22 0:25 / /dev/shm rw,nosuid shared:4 master:2 - tmpfs a\040-\040b rw,size=10k
28 22 0:26 / /mnt rw - fuse.sshfs host: rw`))
	want := map[uint64]string{8<<32 | 1: "ext4", 25: "tmpfs", 26: "fuse.sshfs"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"22 1 8:1 / / rw ext4 /dev/sda1 rw\n": `line 1: not a mount: "22 1 8:1 / / rw ext4 /dev/sda1 rw\n"`,
		"\n":                                  `line 1: not a mount: "\n"`,
		"22 1 8:1 / / rw - ext4 a rw\n1 2 x / / - t t\n": `line 2: not a device: "x": expected integer`,
	} {
		if _, err := ParseMountTypes(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestInMemory(t *testing.T) {
	for fstype, want := range map[string]bool{"tmpfs": true, "hugetlbfs": true, "ext4": false, "": false} {
		if InMemory(fstype) != want {
			t.Errorf("%s: %v", fstype, !want)
		}
	}
}
