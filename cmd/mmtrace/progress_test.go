package main

import (
	"strings"
	"testing"
	"time"
)

var someReading = reading{18 * time.Second, 1204, 1180, 24 << 20, 0}

func TestProgressOnATerminalRewritesOneLine(t *testing.T) {
	var b strings.Builder
	p := newProgress(stream{Writer: &b, tty: true, width: 100}, newOptions())
	p.start("redis-server (42)")
	p.update(someReading)
	p.update(reading{elapsed: 19 * time.Second, outstanding: -1536})
	p.note("process %d called exec", 42)
	p.end(reading{elapsed: 30 * time.Second, lost: 1000})
	const line1 = "18s/30s  1,204 maps  1,180 unmaps  +24.0 MiB outstanding  0 lost"
	const line2 = "19s/30s  0 maps  0 unmaps  -1.5 KiB outstanding  0 lost"
	pad := strings.Repeat(" ", len(line1)-len(line2))
	want := "tracing redis-server (42) for 30s; Ctrl-C stops early\n" +
		"\r" + line1 +
		"\r" + line2 + pad +
		"\r" + strings.Repeat(" ", len(line2)+echoed) + "\r" + "process 42 called exec\n" +
		"30s/30s  0 maps  0 unmaps  +0 B outstanding  1,000 lost\n"
	if got := b.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProgressIsTwoLinesInAFile(t *testing.T) {
	var b strings.Builder
	o := newOptions()
	o.duration = 0
	p := newProgress(stream{Writer: &b, width: 80}, o)
	p.start("a\x1b[2J (42)")
	p.update(someReading)
	p.end(someReading)
	want := `tracing a\x1b[2J (42) until Ctrl-C
18s  1,204 maps  1,180 unmaps  +24.0 MiB outstanding  0 lost
`
	if got := b.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestQuietProgressIsNothing(t *testing.T) {
	var b strings.Builder
	o := newOptions()
	o.quiet = true
	p := newProgress(stream{Writer: &b, tty: true, width: 80}, o)
	p.start("x")
	p.update(someReading)
	p.note("y")
	p.end(someReading)
	if got := b.String(); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestProgressNeverWraps(t *testing.T) {
	var b strings.Builder
	p := newProgress(stream{Writer: &b, tty: true, width: 20}, newOptions())
	p.update(someReading)
	if got, want := b.String(), "\r18s/30s  1,204 maps"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSignedBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "+0 B", 1023: "+1023 B", 1024: "+1.0 KiB", -1: "-1 B", -5 << 30: "-5.0 GiB",
		-1 << 63: "-8.0 EiB", 1<<63 - 1: "+8.0 EiB",
	} {
		if got := signedBytes(n); got != want {
			t.Errorf("signedBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAutoColour(t *testing.T) {
	tests := []struct {
		tty  bool
		env  map[string]string
		want bool
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"NO_COLOR": "1"}, false},
		{true, map[string]string{"TERM": "dumb"}, false},
		{false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{false, map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
	}
	for _, tt := range tests {
		got := autoColour(tt.tty, func(key string) string { return tt.env[key] })
		if got != tt.want {
			t.Errorf("tty %v, %v: colour %v", tt.tty, tt.env, got)
		}
	}
	s := newStream(&strings.Builder{}, func(key string) string { return map[string]string{"COLUMNS": "132"}[key] })
	if s.width != 132 || s.tty || s.useColour("auto") || !s.useColour("always") || s.useColour("never") {
		t.Errorf("stream %+v", s)
	}
}
