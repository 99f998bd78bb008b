package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// A reading is what the progress line shows.
type reading struct {
	elapsed     time.Duration
	maps        uint64 // calls that mapped
	unmaps      uint64
	outstanding int64 // bytes mapped in the window and still mapped
	lost        uint64
}

// A progress tells on standard error how a window goes: on a terminal in one
// line that is rewritten, else in one line at the start and one at the end. It
// is used from one goroutine.
type progress struct {
	w       stream
	quiet   bool
	planned time.Duration // 0 if the window is open
	command bool          // the window ends with a command
	shown   int           // columns of the line on the terminal
}

func newProgress(w stream, o *options) *progress {
	return &progress{w: w, quiet: o.quiet, planned: time.Duration(o.duration), command: len(o.command) > 0}
}

// start says what is traced: "redis-server (1234)".
func (p *progress) start(what string) {
	if p.quiet {
		return
	}
	until := "until Ctrl-C"
	switch {
	case p.planned > 0:
		until = "for " + p.planned.String() + "; Ctrl-C stops early"
	case p.command:
		until = "until it ends"
	}
	fmt.Fprintf(p.w, "tracing %s %s\n", printable(what), until)
}

// update shows r in place of the reading before, on a terminal.
func (p *progress) update(r reading) {
	p.show(p.line(r))
}

// wait says what is waited for, of what.
func (p *progress) wait(what, when string) {
	if !p.quiet {
		fmt.Fprintf(p.w, "waiting until %s for %s; Ctrl-C gives up\n", when, printable(what))
	}
}

// show shows an ASCII line in place of the one before, on a terminal.
func (p *progress) show(line string) {
	if p.quiet || !p.w.tty {
		return
	}
	if p.w.width > 1 && len(line) >= p.w.width { // a wrapped line cannot be rewritten
		line = line[:p.w.width-1]
	}
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.shown-len(line))))
	p.shown = len(line)
}

// note shows a line of text above the progress line.
func (p *progress) note(format string, args ...any) {
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintf(p.w, "%s\n", printable(fmt.Sprintf(format, args...)))
}

// end replaces the progress line by the last reading.
func (p *progress) end(r reading) {
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintln(p.w, p.line(r))
}

// echoed is as long as what a terminal shows of Ctrl-C.
const echoed = len("^C")

// clear takes the line off the terminal, with the echo of a Ctrl-C.
func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", min(p.shown+echoed, max(p.shown, p.w.width-1))))
		p.shown = 0
	}
}

// line is ASCII, so that its length is its width.
func (p *progress) line(r reading) string {
	clock := seconds(r.elapsed)
	if p.planned > 0 {
		clock += "/" + seconds(p.planned)
	}
	return fmt.Sprintf("%s  %s maps  %s unmaps  %s outstanding  %s lost", clock,
		count(r.maps), count(r.unmaps), signedBytes(r.outstanding), count(r.lost))
}

func seconds(d time.Duration) string {
	if d%time.Second != 0 && d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func count(n uint64) string { return humanize.Comma(int64(n)) }

// signedBytes returns n with its sign and a binary unit: "+24.0 MiB".
func signedBytes(n int64) string {
	sign, u := "+", uint64(n)
	if n < 0 {
		sign, u = "-", -uint64(n)
	}
	unit, f := "", float64(u)
	for _, unit = range []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if f < 1024 {
			break
		}
		f /= 1024
	}
	if unit == "B" {
		return fmt.Sprintf("%s%d B", sign, u)
	}
	return fmt.Sprintf("%s%.1f %s", sign, f, unit)
}
