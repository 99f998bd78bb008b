package main

import (
	"slices"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

func TestSizeValue(t *testing.T) {
	tests := []struct {
		in   string
		want uint64
		text string
	}{
		{"0", 0, "0"},
		{"4096", 4096, "4K"},
		{"64K", 64 << 10, "64K"},
		{"64k", 64 << 10, "64K"},
		{"64kb", 64 << 10, "64K"},
		{"64KiB", 64 << 10, "64K"},
		{"100B", 100, "100"},
		{"1.5m", 3 << 19, "1536K"},
		{"2G", 2 << 30, "2G"},
		{"16777215T", 16777215 << 40, "16777215T"},
		{"18446744073709551615", 1<<64 - 1, "18446744073709551615"},
	}
	for _, tt := range tests {
		var v sizeValue
		if err := v.Set(tt.in); err != nil || uint64(v) != tt.want || v.String() != tt.text {
			t.Errorf("Set(%q) gives %d (%s), %v; want %d (%s)", tt.in, uint64(v), &v, err, tt.want, tt.text)
		}
	}
	for _, in := range []string{"", "K", "B", "iB", "64Q", "-1", "1e3", "0x10", "Inf", "NaN", "1_000", "16777216T", "1 K", "64Ki B", "5iB"} {
		var v sizeValue
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q) gives %d", in, uint64(v))
		}
	}
}

func TestDurationValue(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Second, "1.5": 1500 * time.Millisecond, "2m": 2 * time.Minute, "500ms": 500 * time.Millisecond,
	} {
		var v durationValue
		if err := v.Set(in); err != nil || time.Duration(v) != want {
			t.Errorf("Set(%q) gives %v, %v; want %v", in, time.Duration(v), err, want)
		}
	}
	for _, in := range []string{"", "soon", "-1", "-5s", "1e30", "NaN", "Inf"} {
		var v durationValue
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q) gives %v", in, time.Duration(v))
		}
	}
}

func TestPidsValue(t *testing.T) {
	var v pidsValue
	for _, s := range []string{"7", "42,43", "42"} {
		if err := v.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	if want := []event.PID{7, 42, 43}; !slices.Equal(v, want) || v.String() != "7,42,43" {
		t.Errorf("pids %v, want %v", v, want)
	}
	for _, in := range []string{"", "0", "-1", "+1", "1,", "abc", "2147483648"} {
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q) is taken", in)
		}
	}
}

func TestClosest(t *testing.T) {
	for word, want := range map[string]string{
		"repot": "report", "recrod": "record", "doc": "", "doktor": "doctor", "x": "", "": "",
		"redis-server": "", "versoin": "version", "hlep": "help", "demos": "demo",
	} {
		if got := closest(word, verbs); got != want {
			t.Errorf("closest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	got := shellQuote("mmtrace", "", "a b", "it's", "$HOME", "x=1,2", "*", "a\nb", "~x")
	want := `mmtrace '' 'a b' 'it'\''s' '$HOME' x=1,2 '*' 'a` + "\n" + `b' '~x'`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPrintable(t *testing.T) {
	got := printable("a\x1b[31mb\tc\r\n\xff\u202eé\ufffd")
	if want := `a\x1b[31mb\tc\r` + "\n" + `\xff\u202eé` + "\ufffd"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestPercentValue(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
		text string
	}{
		{"5%", 0.05, "5%"}, {"5", 0.05, "5%"}, {"0.5 %", 0.005, "0.5%"}, {"1000%", 10, "1000%"},
	} {
		var v percentValue
		if err := v.Set(tt.in); err != nil || float64(v) != tt.want || v.String() != tt.text {
			t.Errorf("Set(%q) gives %v (%s), %v; want %v (%s)", tt.in, float64(v), &v, err, tt.want, tt.text)
		}
	}
	for _, in := range []string{"", "%", "0", "-1%", "NaN", "Inf", "1001%", "few"} {
		var v percentValue
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q) gives %v", in, float64(v))
		}
	}
}
