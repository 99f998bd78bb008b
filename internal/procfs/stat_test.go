package procfs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 13 0 98765 1000 2"
	tests := []struct {
		name, text string
		want       Stat
		err        string
	}{
		{"plain", "42 (bash)" + rest, Stat{42, 1, "bash", 'S', 4194560, 98765}, ""},
		{"a name like the rest", "42 (a) R (b))" + rest, Stat{42, 1, "a) R (b)", 'S', 4194560, 98765}, ""},
		{"a newline", "42 (a\nb)" + rest, Stat{42, 1, "a\nb", 'S', 4194560, 98765}, ""},
		{"no name", "42 bash S", Stat{}, `no name in parentheses: "42 bash S"`},
		{"short", "42 (bash) S 1", Stat{}, `fields are missing: "42 (bash) S 1"`},
		{"no parent", "42 (bash) S x 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 13 0 98765", Stat{}, `not a parent: "x"`},
		{"no pid", "x (bash)" + rest, Stat{}, `not a pid: "x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseStat([]byte(tt.text))
			if msg := message(err); msg != tt.err {
				t.Errorf("error %q, want %q", msg, tt.err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("stat differs (-want +got):\n%s", d)
			}
		})
	}
}

func TestStatState(t *testing.T) {
	if s := (Stat{State: 'Z'}); !s.Ended() || s.Kernel() {
		t.Errorf("a zombie: ended %v, kernel %v", s.Ended(), s.Kernel())
	}
	if s := (Stat{State: 'S', Flags: 0x208040}); s.Ended() || !s.Kernel() {
		t.Errorf("a kernel thread: ended %v, kernel %v", s.Ended(), s.Kernel())
	}
}

func TestParseStatus(t *testing.T) {
	const text = "Name:\ta \\\\ b\nUmask:\t0022\nState:\tZ (zombie)\nTgid:\t42\nNgid:\t0\nPid:\t43\n" +
		"Uid:\t1000\t1001\t1002\t1003\nNSpid:\t43\t7\t1\nThreads:\t3\nCpus_allowed_list:\t0-1\n"
	want := Status{Name: `a \\ b`, State: 'Z', Tgid: 42, Threads: 3, NSpid: []event.PID{43, 7, 1}, UID: 1001}
	got, err := ParseStatus([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("status differs (-want +got):\n%s", d)
	}
	for text, want := range map[string]string{
		"Name:\tx\n":         `no Tgid: "Name:\tx\n"`,
		"Tgid:\tx\n":         `Tgid: not a pid: "x"`,
		"Tgid:\t1\nUid:\t0":  `Uid: no effective id: ["0"]`,
		"Tgid:\t1\nThreads:": "",
	} {
		if _, err := ParseStatus([]byte(text)); message(err) != want {
			t.Errorf("ParseStatus(%q): error %q, want %q", text, message(err), want)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
