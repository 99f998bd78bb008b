package shm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n"

func TestParseSegments(t *testing.T) {
	text := head +
		"   9988590 1137770496   600                    56 30175 30181      0 65534 65534 65534 65534 1795509034 1795509034 1795509032                  4096                  8192\n" +
		"-559038737          7  3640 18446744073709551 30175     0     31     0     0     0     0          0          0 1795509032                     0                     0\n"
	got, err := ParseSegments(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Segment{
		{ID: 1137770496, Key: 9988590, Mode: 0o600, Size: 56, Creator: 30175, Last: 30181, UID: 65534, AttachedAt: 1795509034,
			DetachedAt: 1795509034, ChangedAt: 1795509032, Resident: 4096, Swapped: 8192},
		{ID: 7, Key: 0xdeadbeef, Mode: 0o640, Removed: true, Size: 18446744073709551, Creator: 30175, Attached: 31, ChangedAt: 1795509032},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Kernels have added columns, and one without segments has a line or none.
func TestParseSegmentsOfOtherKernels(t *testing.T) {
	got, err := ParseSegments(strings.NewReader("shmid size colour\n5 4096 3\n"))
	if diff := cmp.Diff([]Segment{{ID: 5, Size: 4096}}, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for _, text := range []string{"", head} {
		if got, err := ParseSegments(strings.NewReader(text)); len(got) > 0 || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseSegmentsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"shmid size\n1\n":    `line 2: not a segment: "1"`,
		"shmid size\n1 x\n":  `line 2: column size: not a number: "x"`,
		"shmid perms\n1 9\n": `line 2: column perms: not a number: "9"`,
	} {
		if _, err := ParseSegments(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func FuzzParseSegments(f *testing.F) {
	f.Add(head + "1 2 600 56 3 4 0 5 6 7 8 9 10 11 12 13\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseSegments(strings.NewReader(text))
		if n := strings.Count(text, "\n"); err == nil && len(list) > n+1 {
			t.Errorf("%d segments in %d lines", len(list), n)
		}
	})
}
